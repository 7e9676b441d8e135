"""A family of optimizers: the classes of one package, turned into validated, self-describing models."""

import importlib.metadata
import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import create_model

from thalweg.optimizers import record
from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.parameters import PARAMETERS, Parameter
from thalweg.optimizers.record import Record
from thalweg.optimizers.signature import fields_of

_FACTS = frozenset({"rule", "closure", "matrices", "history", "variants", "fixed", "whole", "brief"})


class Family:
    """The optimizers of an installed package; `add` takes them in, one class at a time.

    Args:
        name: What the API calls it.
        package: The distribution that has the classes.
        module: `__name__` of the module that describes the family and holds the models; the record is beside it.
        docs: Address of a class's documentation, with `{}` for the name of the class.
        licence: The package's, as SPDX names it; a class may have another.
        refused: Parameters that no job can set, each with the reason as the predicate of a sentence.
        refused_optimizers: Optimizers of the package that the family leaves out, by name, with the reason.
        parameters: Parameters that mean something else in this family than in `PARAMETERS`, or are not there.
    """

    def __init__(
        self,
        name: str,
        *,
        package: str,
        module: str,
        docs: str,
        licence: str,
        refused: Mapping[str, str],
        refused_optimizers: Mapping[str, str],
        parameters: Mapping[str, Parameter] | None = None,
    ) -> None:
        self.name = name
        self.package = package
        self.docs = docs
        self.licence = licence
        self.refused = refused
        self.refused_optimizers = refused_optimizers
        self.optimizers: list[type[OptimizerParams]] = []
        self._module = module
        self._parameters = {**PARAMETERS, **(parameters or {})}

    @cached_property
    def version(self) -> str:
        """The installed version of the package, without what a build adds to it, such as +cpu."""
        return importlib.metadata.version(self.package).partition("+")[0]

    @property
    def record_path(self) -> Path:
        """Where the records of its optimizers are."""
        return Path(__file__).parent / "families" / f"{self._module.rpartition('.')[2]}.json"

    @cached_property
    def _records(self) -> Mapping[str, Record]:
        return record.read(self.record_path, self.package, self.version)

    def add(
        self,
        optimizer_class: Callable[..., torch.optim.Optimizer],
        *,
        title: str,
        summary: str,
        paper: str | None = None,
        licence: str | None = None,
        called: str | None = None,
        own: Mapping[str, Parameter] | None = None,
        refused: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> type[OptimizerParams]:
        """Return the model of a class; its fields come from the class's signature.

        Args:
            optimizer_class: The class.
            title: The optimizer's full name.
            summary: What it does, in a sentence.
            paper: Where it was published.
            licence: That of the class, where it is not the package's.
            called: Name of the model, and in lower case of the optimizer; by default that of the class. To be given
                where another family has the name already.
            own: Parameters that mean something else here than in the family.
            refused: Parameters that no job can set here, beside those of the family.
            facts: `rule`, `closure`, `matrices`, `history`, `variants`, `fixed`, `whole` or `brief`, see
                `OptimizerParams`.

        Raises:
            TypeError: A parameter is not described, its type cannot be written as JSON, or there is no such fact.
        """
        if unknown := facts.keys() - _FACTS:
            raise TypeError(
                f"{called or optimizer_class.__name__} has no {unknown.pop()}, only {', '.join(sorted(_FACTS))}"
            )
        described = {**self._parameters, **(own or {})}
        all_refused = {**self.refused, **(refused or {})}
        called = called or optimizer_class.__name__
        name = called.lower()
        fields = fields_of(optimizer_class, all_refused, described)
        definitions: dict[str, Any] = {"name": (Literal[name], name), **fields}
        model = create_model(
            called,
            __base__=OptimizerParams,
            __doc__=summary,
            __module__=self._module,
            **definitions,
        )
        model.family = self.name
        model.optimizer_class = optimizer_class
        model.identity = (optimizer_class.__module__, optimizer_class.__qualname__, self.version)
        model.title, model.paper = title, paper
        model.docs_url = self.docs.format(optimizer_class.__name__)
        model.has_foreach = "foreach" in inspect.signature(optimizer_class).parameters
        model.licence = licence or self.licence
        model.refused = all_refused
        model.others = {
            parameter: not info.default if isinstance(info.default, bool) else described[parameter].other
            for parameter, (_, info) in fields.items()
        }
        model.record = self._records.get(name) or record.unprobed(self.package, self.version)
        for fact, value in facts.items():
            setattr(model, fact, value)
        self.optimizers.append(model)
        return model
