FROM python:3.11-slim

# torch's default build for Linux brings the CUDA libraries along, which the service does not use. To have the
# CPU build, name the package index that holds it: docker build --build-arg PIP_EXTRA_INDEX_URL=...
# pip reads these arguments by itself, where they are given.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_EXTRA_ARGS=""

WORKDIR /srv/thalweg

# a wheel of next to nothing brings the packages, which so are not installed again when the code changes
COPY pyproject.toml constraints.txt README.md ./
COPY alembic alembic
COPY app/thalweg/__init__.py app/thalweg/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    $PIP_EXTRA_ARGS --constraint constraints.txt .

COPY app app
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    $PIP_EXTRA_ARGS --no-deps --force-reinstall .

RUN useradd --system --user-group --create-home thalweg && install --directory --owner=thalweg --group=thalweg /data

USER thalweg

# beyond the container's loopback the service refuses to listen without THALWEG_API_KEYS or THALWEG_NO_AUTH
ENV PYTHONUNBUFFERED=1 \
    THALWEG_HOST=0.0.0.0 \
    THALWEG_PORT=8000 \
    THALWEG_DATA_DIR=/data

VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import httpx, os; httpx.get('http://127.0.0.1:' + os.environ['THALWEG_PORT'] + '/healthz', trust_env=False).raise_for_status()"]

CMD ["thalweg", "serve"]
