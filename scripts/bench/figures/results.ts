import type { ContestantName, Durability, Measurement, Workload } from "../contestants/workload.js";
import type {
  DispatchLagResult,
  EventLoopResult,
  KeepUpResult,
  MemoryResult,
  OpeningResult,
  ProducersResult,
  ReadContestantName,
  ReadResult,
  RecoveryResult,
  ReplicationResult,
  RollResult,
  SeedWay,
} from "../measurements/job.js";

export type Cell = Pick<Workload, "contestant" | "durability" | "messageSize" | "inFlight">;

/** As `--only` sees it. */
export function cellName(cell: Cell): string {
  return `${cell.durability}/${cell.messageSize}/${cell.inFlight}/${cell.contestant}`;
}

/** Figures of a cell that have a median. */
export type CellFigure = "msgPerSec" | "p50Us" | "p99Us" | "p999Us" | "cpuNs" | "mainNs";

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return sorted.length === 0 ? Number.NaN : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** undefined when nothing was measured. */
export function medianOf<T>(results: readonly T[], value: (result: T) => number): number | undefined {
  return results.length === 0 ? undefined : median(results.map(value));
}

/** Everything that was measured, round by round. */
export class Results {
  readonly cells = new Map<string, { cell: Cell; rounds: Measurement[] }>();
  /** Seconds per round of a million lines. */
  readonly seed = new Map<SeedWay, number[]>();
  readonly rolls: RollResult[] = [];
  readonly eventLoop: EventLoopResult[] = [];
  readonly memory: MemoryResult[] = [];
  readonly reads = new Map<ReadContestantName, ReadResult[]>();
  readonly dispatchLags: DispatchLagResult[] = [];
  readonly keepUps: KeepUpResult[] = [];
  readonly recoveries: RecoveryResult[] = [];
  readonly openings: OpeningResult[] = [];
  /** By the number of producers. */
  readonly producers = new Map<number, ProducersResult[]>();
  /** By who, and the puts in flight. */
  readonly replication = new Map<string, ReplicationResult[]>();

  add(cell: Cell, measurement: Measurement): void {
    const name = cellName(cell);
    const known = this.cells.get(name);
    if (known === undefined) this.cells.set(name, { cell, rounds: [measurement] });
    else known.rounds.push(measurement);
  }

  addSeed(way: SeedWay, seconds: number): void {
    this.seed.set(way, [...(this.seed.get(way) ?? []), seconds]);
  }

  addRead(contestant: ReadContestantName, figure: ReadResult): void {
    this.reads.set(contestant, [...(this.reads.get(contestant) ?? []), figure]);
  }

  addProducers(producers: number, result: ProducersResult): void {
    this.producers.set(producers, [...(this.producers.get(producers) ?? []), result]);
  }

  addReplication(name: string, result: ReplicationResult): void {
    this.replication.set(name, [...(this.replication.get(name) ?? []), result]);
  }

  /** Median over the rounds; undefined when it was not measured. */
  median(
    contestant: ContestantName,
    durability: Durability,
    messageSize: number,
    inFlight: number,
    key: CellFigure,
  ): number | undefined {
    const rounds = this.cells.get(cellName({ contestant, durability, messageSize, inFlight }))?.rounds ?? [];
    return medianOf(
      rounds.flatMap((round) => round[key] ?? []),
      (value) => value,
    );
  }

  /** Messages a second, round by round. */
  rates(contestant: ContestantName, durability: Durability, messageSize: number, inFlight: number): number[] {
    const rounds = this.cells.get(cellName({ contestant, durability, messageSize, inFlight }))?.rounds ?? [];
    return rounds.map((round) => round.msgPerSec);
  }

  /** Median over the rounds; undefined when it was not measured. */
  readMedian(contestant: ReadContestantName, key: keyof ReadResult): number | undefined {
    const values = (this.reads.get(contestant) ?? []).flatMap((figure) => figure[key] ?? []);
    return values.length === 0 ? undefined : median(values);
  }

  /** Rounds of a million lines in a second. */
  seedRoundsPerSecond(way: SeedWay): number | undefined {
    const seconds = this.seed.get(way);
    return seconds === undefined ? undefined : 1 / median(seconds);
  }

  toJSON(): { readonly cells: (Cell & { readonly rounds: readonly Measurement[] })[] } & Readonly<Record<string, unknown>> {
    return {
      cells: [...this.cells.values()].map(({ cell, rounds }) => ({ ...cell, rounds })),
      seed: Object.fromEntries(this.seed),
      rolls: this.rolls,
      eventLoop: this.eventLoop,
      memory: this.memory,
      reads: Object.fromEntries(this.reads),
      dispatchLags: this.dispatchLags,
      keepUps: this.keepUps,
      recoveries: this.recoveries,
      openings: this.openings,
      producers: Object.fromEntries(this.producers),
      replication: Object.fromEntries(this.replication),
    };
  }
}
