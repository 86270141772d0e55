/** uPlot, as the server hands it to the page: no bundler, no other host. */
interface Axis {
  readonly stroke?: () => string;
  readonly grid?: { readonly stroke: () => string; readonly width?: number };
  readonly ticks?: { readonly stroke: () => string; readonly width?: number };
  readonly size?: number;
  readonly values?: (plot: unknown, values: readonly (number | null)[]) => string[];
}
export interface Series {
  readonly label?: string;
  readonly stroke?: () => string;
  readonly width?: number;
  readonly dash?: readonly number[];
  readonly value?: (plot: unknown, value: number | null) => string;
}
export interface Options {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly series: readonly Series[];
  readonly axes: readonly Axis[];
  readonly scales?: Readonly<Record<string, object>>;
  readonly cursor?: object;
}
export type Data = readonly (readonly (number | null)[])[];
export default class UPlot {
  constructor(options: Options, data: Data, target: HTMLElement);
  setData(data: Data): void;
  setSize(size: { readonly width: number; readonly height: number }): void;
  redraw(): void;
}
