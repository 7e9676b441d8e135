import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, Disconnected, Problem } from "../../app/thalweg/web/js/api.js";
import { arrival } from "../../app/thalweg/web/js/arrival.js";
import { Catalogue, coordinateNames } from "../../app/thalweg/web/js/catalogue.js";
import { Errand } from "../../app/thalweg/web/js/errand.js";
import { readEvents } from "../../app/thalweg/web/js/events.js";
import { Growth } from "../../app/thalweg/web/js/growth.js";
import { Memory } from "../../app/thalweg/web/js/memory.js";
import { fetchSlopes, ofRuns, pathOf } from "../../app/thalweg/web/js/plots/paths.js";
import { Runs } from "../../app/thalweg/web/js/runs.js";
import { changed, Store } from "../../app/thalweg/web/js/store.js";
import { assertClose } from "./close.js";

const bodyOf = (...parts) =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });

async function all(events) {
  const found = [];
  for await (const event of events) found.push(event);
  return found;
}

test("events are read however they are cut, with any end of line", async () => {
  const text = 'id: 7\nevent: progress\ndata: {"step":1}\n\n: a remark\n\ndata: a\r\ndata:b\r\n\r\ndata: é\r\r';
  const bytes = new TextEncoder().encode(text);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.subarray(0, cut));
        controller.enqueue(bytes.subarray(cut));
        controller.close();
      },
    });
    assert.deepEqual(await all(readEvents(body)), [
      { name: "progress", data: '{"step":1}', id: "7" },
      { name: "message", data: "a\nb", id: null },
      { name: "message", data: "é", id: null },
    ]);
  }
});

/** Returns an API whose requests are answered in turn, and the requests. */
function apiOf(t, answers, options = {}) {
  const asked = [];
  t.mock.method(globalThis, "fetch", async (path, { method, headers, body }) => {
    asked.push({ path, method, headers, body });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const connections = [];
  const api = new Api({
    key: null,
    askKey: async () => "secret",
    onConnection: (isThere) => connections.push(isThere),
    ...options,
  });
  return { api, asked, connections };
}

const json = (value, status = 200) => new Response(JSON.stringify(value), { status });

test("a request that wants a key asks for it once, and is sent again with it", async (t) => {
  let n = 0;
  const askKey = async () => {
    n += 1;
    return "secret";
  };
  const { api, asked } = apiOf(t, [json({}, 401), json({}, 401), json({ items: [1] }), json({ items: [2] })], {
    askKey,
  });
  const found = await Promise.all([api.functions(), api.optimizers()]);
  assert.deepEqual(found.flat().sort(), [1, 2]);
  assert.equal(n, 1);
  assert.deepEqual(
    asked.slice(2).map(({ headers }) => headers.Authorization),
    ["Bearer secret", "Bearer secret"],
  );
});

test("a problem says what is wrong, and where", async (t) => {
  const errors = [{ pointer: "#/lr", detail: "too large" }];
  const { api } = apiOf(t, [
    json({ title: "No", detail: "It is wrong.", errors }, 422),
    new Response("<html>", { status: 502 }),
  ]);
  await assert.rejects(api.postJob({}), (error) => {
    assert.ok(error instanceof Problem);
    assert.deepEqual([error.status, error.message, error.errors], [422, "It is wrong.", errors]);
    return true;
  });
  await assert.rejects(api.postJob({}), { message: "The service answered with status 502." });
});

test("a service that does not answer is told apart from one that refuses", async (t) => {
  const { api, connections } = apiOf(t, [new TypeError("network"), json({ id: "a" })]);
  await assert.rejects(api.job("a"), Disconnected);
  await api.job("a");
  assert.deepEqual(connections, [false, true]);
});

test("a query leaves out what is empty", async (t) => {
  const { api, asked } = apiOf(t, [json({})]);
  await api.jobs({ status: null, tag: "", function: "a b", limit: 0 });
  assert.equal(asked[0].path, "v1/jobs?function=a+b&limit=0");
});

test("a stream that breaks is taken up where it was", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const broken = new Response(bodyOf('id: 4\nevent: progress\ndata: {"step":3}\n\nevent: heartbeat\ndata: -\n\n'));
  const ended = new Response(bodyOf('event: done\ndata: {"status":"succeeded"}\n\n'));
  const { api, asked } = apiOf(t, [broken, json({}, 503), ended]);
  const seen = [];
  const following = api.follow("a", {
    progress: ({ step }) => seen.push(step),
    lost: () => {
      seen.push("lost");
      setImmediate(() => t.mock.timers.tick(5000));
    },
    found: () => seen.push("found"),
  });
  assert.deepEqual(await following, { status: "succeeded" });
  assert.deepEqual(seen, [3, "lost", "lost", "found"]);
  assert.deepEqual(
    asked.map(({ headers }) => headers["Last-Event-ID"]),
    [undefined, "4", "4"],
  );
});

const HIMMELBLAU = { minimum_radius: 0.012 };
const jobWith = (minimum, every = 1) => ({ id: "a", runs: [{ minimum }], spec: { record_every: every } });

test("a run arrives at the first step from which it stays near its minimum", async () => {
  const whole = {
    step: [0, 1, 2, 3, 4],
    x: [
      [0, 0],
      [3, 2.011],
      [4, 4],
      [3.0119, 2],
      [3, 2],
    ],
  };
  const job = jobWith({ x: [3, 2] });
  assert.equal(await arrival({}, job, HIMMELBLAU, whole), 3);
  assert.equal(await arrival({}, job, { minimum_radius: 0.01 }, whole), 4);
  assert.equal(await arrival({}, jobWith(null), HIMMELBLAU, whole), null);
  assert.equal(
    await arrival({}, job, HIMMELBLAU, {
      step: [0, 1],
      x: [
        [3, 2],
        [null, 2],
      ],
    }),
    null,
  );
});

test("between the entries of a thinned trajectory it is looked for", async () => {
  // x goes from 100 down by 1 a step, and is there from step 97 on
  const place = (step) => [Math.max(3, 100 - step), 2];
  const asked = [];
  const api = {
    trajectory: async (_id, { from_step, to_step, max_points }) => {
      asked.push([from_step, to_step]);
      const stride = Math.max(1, Math.ceil((to_step - from_step) / Math.min(max_points, 5)));
      const step = [];
      for (let at = from_step; at < to_step; at += stride) step.push(at);
      step.push(to_step);
      return { step, x: step.map(place) };
    },
  };
  const thinned = { step: [0, 80, 200], x: [0, 80, 200].map(place) };
  assert.equal(await arrival(api, jobWith({ x: [3, 2] }), HIMMELBLAU, thinned), 97);
  assert.deepEqual(asked[0], [80, 200]);
  assert.equal(await arrival(api, jobWith({ x: [3, 2] }, 200), HIMMELBLAU, thinned), 200); // nothing lies between
});

test("of a trajectory that grows, only what is new is fetched", async () => {
  const asked = [];
  const api = {
    trajectory: async (_id, range) => {
      asked.push(range);
      const from = range.from_step ?? 0;
      const step = from === 0 ? [0, 5, 10] : [from, from + 4];
      return { run: range.run, step, x: step.map((each) => [each]), f: step };
    },
  };
  const growth = new Growth(api, "a", { nRuns: 1, entries: 3 });
  const [first] = await growth.fetch(10);
  assert.deepEqual(asked, [{ run: 0, max_points: 3 }]);
  const [second] = await growth.fetch(14);
  assert.deepEqual(asked[1], { run: 0, max_points: 4, from_step: 10 });
  assert.deepEqual(second.step, [0, 5, 10, 14]);
  assert.deepEqual(second.x, [[0], [5], [10], [14]]);
  assert.deepEqual(first.step, [0, 5, 10]);
  await growth.fetch(18);
  await growth.fetch(22);
  await growth.fetch(26);
  const last = asked.length;
  await growth.fetch(30); // it is more than twice as long as is to be seen
  assert.deepEqual(asked[last], { run: 0, max_points: 3 });
});

test("runs are fetched as far as they are asked for, page by page", async () => {
  const asked = [];
  const api = {
    runs: async (_id, { cursor }) => {
      asked.push(cursor);
      const from = Number(cursor ?? 0);
      return { items: Array.from({ length: 2 }, (_, index) => from + index), next_cursor: String(from + 2) };
    },
  };
  const runs = new Runs(api, { id: "a", n_runs: 5, runs: ["first"] });
  assert.deepEqual(await runs.upTo(1), ["first"]);
  assert.deepEqual(asked, []);
  assert.deepEqual(await runs.upTo(3), [0, 1, 2, 3]);
  assert.deepEqual(await runs.upTo(4), [0, 1, 2, 3]);
  assert.deepEqual(asked, [null, "2"]);
});

test("something is fetched of every run, six at once", async () => {
  let [now, most] = [0, 0];
  const found = await ofRuns(20, async (run) => {
    now += 1;
    most = Math.max(most, now);
    await Promise.resolve();
    now -= 1;
    return run * 2;
  });
  assert.deepEqual(
    found,
    Array.from({ length: 20 }, (_, run) => run * 2),
  );
  assert.equal(most, 6);
});

test("slopes are the norms of the gradient, at each entry that has a value", async () => {
  const trajectories = [
    {
      step: [0, 1],
      x: [
        [0, 0],
        [null, 1],
      ],
      f: [1, null],
    },
    { step: [0], x: [[1, 1]], f: [2] },
  ];
  const api = { evaluate: async ({ points }) => ({ gradient: points.map(([x]) => (x ? [null, 1] : [3, 4])) }) };
  assert.deepEqual(await fetchSlopes(api, {}, trajectories), [[5, null], [null]]);
  const refused = { evaluate: () => Promise.reject(new Problem(422, {})) };
  assert.deepEqual(await fetchSlopes(refused, {}, trajectories), []);
});

test("a trajectory is seen along two of its coordinates", () => {
  const trajectory = {
    step: [0, 1],
    x: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    f: [7, 8],
  };
  const path = pathOf(trajectory, [2, 0], { name: "run 1", color: "#000000", outcome: "max_steps" });
  assert.deepEqual([path.x, path.y, path.ending], [[3, 6], [1, 4], "end"]);
  assert.deepEqual(pathOf(trajectory, [1], { outcome: null }).y, [0, 0]);
});

const LISTED = {
  name: "sphere",
  dim: 2,
  any_dim: true,
  domain: [
    [0, 1],
    [0, 1],
  ],
};

test("a function in another dimension is asked for once, and again after it failed", async () => {
  let n = 0;
  const api = {
    functionOf: async (name, dim) => {
      n += 1;
      if (n === 1) throw new Problem(503, {});
      return { name, dim };
    },
  };
  const catalogue = new Catalogue(api, { functions: [LISTED], optimizers: [], schedulers: [] });
  assert.equal(await catalogue.about({ name: "sphere", dim: 2 }), LISTED);
  await assert.rejects(catalogue.about({ name: "sphere", dim: 7 }));
  assert.deepEqual(await catalogue.about({ name: "sphere", dim: 7 }), { name: "sphere", dim: 7 });
  await catalogue.about({ name: "sphere", dim: 7 });
  assert.equal(n, 2);
});

test("a formula is tried in the middle of its domain, and its minima are not known", async () => {
  const asked = [];
  const api = { evaluate: async ({ points }) => asked.push(points) };
  const catalogue = new Catalogue(api, { functions: [], optimizers: [], schedulers: [] });
  const info = await catalogue.about({ expression: "x*y", variables: ["x", "y"], domain: [[0, 4]] });
  assert.deepEqual(asked, [[[2, 2]]]);
  assert.deepEqual(
    [info.dim, info.domain, info.minima],
    [
      2,
      [
        [0, 4],
        [0, 4],
      ],
      [],
    ],
  );
  assert.deepEqual(coordinateNames(info), ["x", "y"]);
  assert.deepEqual(coordinateNames({ dim: 11 }).slice(9), ["x₉", "x₁₀"]);
});

test("a store tells who listens of what is different", () => {
  const store = new Store({ a: 1, b: 2 });
  const told = [];
  const stop = store.subscribe((state, before) => told.push([state.a, before.a, changed(state, before, "b")]));
  store.set({ a: 1 });
  store.set({ a: 3 });
  stop();
  store.set({ a: 4 });
  assert.deepEqual(told, [[3, 1, false]]);
  assert.throws(() => {
    store.state.a = 9;
  }, TypeError);
});

test("a memory makes anew what is made of other parts", () => {
  const memory = new Memory();
  let n = 0;
  const make = () => {
    n += 1;
    return n;
  };
  const part = {};
  assert.deepEqual([memory.once("a", [part], make), memory.once("a", [part], make)], [1, 1]);
  assert.deepEqual(
    [memory.once("a", [{}], make), memory.once("a", [part, 1], make), memory.once("b", [part], make)],
    [2, 3, 4],
  );
});

test("an errand stops while it is paused, and begins again", async () => {
  const errand = new Errand();
  const signals = [];
  const work = (signal) => {
    signals.push(signal);
    return new Promise((resolve) => signal.addEventListener("abort", resolve));
  };
  errand.start(work);
  errand.pause();
  assert.equal(signals[0].aborted, true);
  errand.resume();
  assert.equal(signals.length, 2);
  errand.start(work);
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, true, false],
  );
  errand.stop();
  errand.resume();
  assert.equal(signals.length, 3);
});

test("a file is fetched as what it is asked for", async (t) => {
  const { api, asked } = apiOf(t, [new Response("a,b\n1,2\n")]);
  assert.equal(await (await api.file("v1/jobs/a/trajectory", "text/csv")).text(), "a,b\n1,2\n");
  assert.equal(asked[0].headers.Accept, "text/csv");
  assertClose(asked.length, 1);
});

test("requests that were refused with an old key do not ask again once there is a new one", async (t) => {
  let n = 0;
  const askKey = async () => {
    n += 1;
    return "new";
  };
  const late = Promise.withResolvers?.() ?? {};
  late.promise ??= new Promise((resolve) => {
    late.resolve = resolve;
  });
  const { api } = apiOf(t, [late.promise, json({}, 401), json({ items: [1] }), json({ items: [2] })], { askKey });
  const first = api.functions(); // its refusal comes after the new key
  assert.deepEqual(await api.optimizers(), [1]);
  late.resolve(json({}, 401));
  assert.deepEqual(await first, [2]);
  assert.equal(n, 1);
});

test("a key that is refused is asked for again, and it is said that it was refused", async (t) => {
  const asked = [];
  const askKey = async (rejected) => {
    asked.push(rejected);
    return "new";
  };
  const answers = [json({}, 401), json({ items: [1] }), json({}, 500)];
  const { api, asked: requests } = apiOf(t, answers, { key: "old", askKey });
  assert.deepEqual(await api.functions(), [1]);
  assert.deepEqual(asked, [true]);
  const sent = requests.map(({ headers }) => headers.Authorization);
  assert.deepEqual(sent, ["Bearer old", "Bearer new"]);
});
