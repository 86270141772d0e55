import { type MetricOptions, metricFamilies } from "./metric-families.js";
import type { StoreStats } from "./store-stats.js";

/** The figures in Prometheus' text exposition format 0.0.4, as `metricFamilies` has them. Ends in a line feed. */
export function toPrometheus(stats: StoreStats, options?: MetricOptions): string {
  let text = "";
  for (const { name, help, type, samples } of metricFamilies(stats, options)) {
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const sample of samples) {
      const pairs = Object.entries(sample.labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
      text += `${sample.name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${formatValue(sample.value)}\n`;
    }
  }
  return text;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
