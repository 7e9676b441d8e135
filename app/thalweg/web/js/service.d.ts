/** What the service answers and is asked, as far as the page reads and writes it; openapi.json has all of it. */

/** A parameter of a method or a network, as JSON Schema has it. */
export interface Property {
  type?: string;
  default?: any;
  [keyword: string]: any;
}

export interface Schema {
  properties: Record<string, Property>;
  required?: string[];
  description?: string;
  $defs?: any;
}

export interface Entry {
  name: string;
  title: string;
  parameters: Schema;
  matrices_only?: boolean;
  family?: string;
}

export interface Methods {
  optimizers: Entry[];
  schedulers: Entry[];
}

export interface Method {
  optimizer: { name: string; [parameter: string]: any };
  lr?: any;
  scheduler?: { name: string; [parameter: string]: any } | null;
}

/** A function as a job refers to it. */
export interface Reference {
  name?: string;
  dim?: number;
  expression?: string;
  variables?: string[];
  domain?: number[][];
  [part: string]: any;
}

export interface FunctionInfo {
  name: string | null;
  title: string;
  dim: number;
  any_dim: boolean;
  domain: number[][];
  minima: Array<{ x: number[]; f: number }>;
  minimum_radius: number;
  formula: string | null;
  variables?: string[] | null;
  expression?: string;
}

export interface Minimum {
  index: number;
  x: number[];
  distance: number;
}

export interface Run {
  run: number;
  init: number[];
  outcome: string | null;
  diverged_at: number | null;
  n_steps: number;
  n_evaluations: number | null;
  minimum: Minimum | null;
  [field: string]: any;
}

export interface Progress {
  status: string;
  step: number;
  steps: number;
}

export interface Job {
  id: string;
  status: string;
  /** As some version of the service stored it. */
  spec: any;
  runs: Run[];
  n_runs: number;
  n_diverged: number | null;
  progress: { step: number; steps: number };
  links: Record<string, string>;
  error: string | null;
  created_at: string;
}

export interface Trajectory {
  run: number;
  step: number[];
  x: number[][];
  f: Array<number | null>;
}

/** Values of a function over a window: `z[j][i]` at `x[i]`, `y[j]`; of one coordinate `f[i]` at `x[i]`. */
export interface Grid {
  x: number[];
  y: number[] | null;
  z?: Array<Array<number | null>>;
  f?: Array<number | null>;
}

export interface Complaint {
  pointer: string;
  detail: string;
  column?: number;
}

/** What is wrong, as the service says it or as the page does. */
export interface Complaints {
  message: string;
  status?: number;
  errors?: Complaint[];
}

export interface Network {
  layers: number[];
  activation: string;
  output_activation: string | null;
  loss: string;
  [parameter: string]: any;
}

/** What a network can be told, and what there is to choose from. */
export interface Offer {
  parameters: Schema;
  datasets: Array<{
    name: string;
    title: string;
    n_inputs: number;
    classes: number | null;
    any_classes: boolean;
    output_activation: string | null;
    [fact: string]: any;
  }>;
  losses: Array<{ name: string; output_activation: string | null }>;
}

export interface Layer {
  net: number[];
  output: number[];
  delta: number[];
  weight_gradient: number[][];
  bias_gradient: number[];
}

/** The forward and the backward pass of one sample. */
export interface Pass {
  weights: number[][][];
  biases: number[][];
  layers: Layer[];
  [field: string]: any;
}
