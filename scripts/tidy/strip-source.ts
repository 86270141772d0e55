/** The same text twice, blanks for what is left out, so that positions and lines stay: only code, and only comments. */
export interface StrippedSource {
  /** Quotes stay, what is between them does not; nor do regular expressions. Code inside `${}` stays. */
  code: string;
  comments: string;
}

type Part = "code" | "comment" | "text";

const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|of|in|throw|await|yield))\s*$/;

class Stripper {
  readonly #source: string;
  readonly #code: string[];
  readonly #comments: string[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#code = [...blank(source)];
    this.#comments = [...this.#code];
  }

  strip(): StrippedSource {
    if (this.#source.startsWith("#!")) this.#skipUntil("\n", "comment");
    while (this.#at < this.#source.length) this.#step();
    return { code: this.#code.join(""), comments: this.#comments.join("") };
  }

  #step(): void {
    const two = this.#source.substring(this.#at, this.#at + 2);
    const one = two.charAt(0);
    if (two === "//") this.#skipUntil("\n", "comment");
    else if (two === "/*") this.#skipUntil("*/", "comment");
    else if (one === "/" && BEFORE_REGEX.test(this.#code.slice(Math.max(0, this.#at - 40), this.#at).join(""))) this.#regex();
    else if (one === '"' || one === "'") this.#string(one);
    else if (one === "`") this.#template();
    else this.#take("code");
  }

  #take(part: Part, count = 1): void {
    for (let i = 0; i < count && this.#at < this.#source.length; i++, this.#at++) {
      const character = this.#source.charAt(this.#at);
      if (part === "code") this.#code[this.#at] = character;
      if (part === "comment") this.#comments[this.#at] = character;
    }
  }

  #skipUntil(end: string, part: Part): void {
    const found = this.#source.indexOf(end, this.#at + 2);
    this.#take(part, (found < 0 ? this.#source.length : found + end.length) - this.#at);
  }

  #string(quote: string): void {
    this.#take("code");
    while (this.#at < this.#source.length && !["\n", quote].includes(this.#source.charAt(this.#at))) this.#takeEscaped();
    this.#take("code");
  }

  #takeEscaped(): void {
    this.#take("text", this.#source.charAt(this.#at) === "\\" ? 2 : 1);
  }

  #regex(): void {
    this.#take("code");
    for (let inClass = false; this.#at < this.#source.length; ) {
      const character = this.#source.charAt(this.#at);
      if (character === "\n" || (character === "/" && !inClass)) break;
      if (character === "[") inClass = true;
      if (character === "]") inClass = false;
      this.#takeEscaped();
    }
    this.#take("code");
  }

  #template(): void {
    this.#take("code");
    while (this.#at < this.#source.length && this.#source.charAt(this.#at) !== "`") {
      if (this.#source.startsWith("${", this.#at)) this.#substitution();
      else this.#takeEscaped();
    }
    this.#take("code");
  }

  #substitution(): void {
    this.#take("code", 2);
    for (let depth = 1; this.#at < this.#source.length; ) {
      const character = this.#source.charAt(this.#at);
      if (character === "{") depth++;
      if (character === "}") depth--;
      this.#step();
      if (depth === 0) return;
    }
  }
}

function blank(source: string): string {
  return source.replace(/[^\n]/gu, (character) => " ".repeat(character.length));
}

export function stripSource(source: string): StrippedSource {
  return new Stripper(source).strip();
}
