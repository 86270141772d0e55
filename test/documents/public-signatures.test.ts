import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { ModifierFlags, type Node, SyntaxKind } from "typescript/unstable/ast";
import { isClassDeclaration, isExportDeclaration, isExportSpecifier, isIdentifier } from "typescript/unstable/ast/is";
import { API, type Checker, type Project, SymbolFlags, type Symbol as TypeScriptSymbol } from "typescript/unstable/sync";
import { projectRoot } from "../support/project-root.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** What a user can see of a module, from its declarations as they are shipped. */
class PublicFace {
  readonly #project: Project;
  readonly #checker: Checker;
  readonly #exports: readonly TypeScriptSymbol[];
  readonly #exported: ReadonlySet<number>;

  constructor(project: Project, index: string) {
    this.#project = project;
    this.#checker = project.checker;
    const module = this.#checker.getSymbolAtLocation(project.program.getSourceFile(index) as Node);
    this.#exports = this.#checker.getExportsOfModule(module as TypeScriptSymbol);
    this.#exported = new Set(this.#exports.map((symbol) => this.#target(symbol).id));
  }

  /** `Exported → Named` for each name in the declaration of an exported one that is not exported itself; and private members. */
  faults(): string[] {
    const faults = this.#exports.flatMap((symbol) => {
      const target = this.#target(symbol);
      const nodes = target.declarations.map((handle) => handle.resolve(this.#project) as Node);
      return nodes.flatMap((node) => [...this.#walk(symbol.name, node, this.#isTypeOnly(symbol))]);
    });
    return [...new Set(faults)].sort();
  }

  /** @param isTypeOnly of a class exported as a type nobody reaches the static members and the constructor */
  *#walk(name: string, node: Node, isTypeOnly: boolean): Generator<string> {
    if (isIdentifier(node)) {
      const named = this.#checker.getSymbolAtLocation(node);
      if (named !== undefined && this.#isHidden(this.#target(named))) yield `${name} → ${this.#target(named).name}`;
      return;
    }
    const children: Node[] = [];
    node.forEachChild((child) => {
      children.push(child);
      return undefined;
    });
    for (const child of children) {
      if (isClassDeclaration(node)) {
        const flags = "modifierFlags" in child ? (child.modifierFlags as number) : 0;
        const isConstructor = child.kind === SyntaxKind.Constructor;
        if (isTypeOnly && (isConstructor || (flags & ModifierFlags.Static) !== 0)) continue;
        if (!isConstructor && (flags & ModifierFlags.Private) !== 0) yield `${name}: a private member that is no #private one`;
      }
      yield* this.#walk(name, child, isTypeOnly);
    }
  }

  /** Declared at the top of a file of this project, and not exported by the index. Type parameters and members are not. */
  #isHidden(symbol: TypeScriptSymbol): boolean {
    const path = symbol.declarations[0]?.path;
    if (path === undefined || path.includes("/node_modules/") || this.#exported.has(symbol.id)) return false;
    return (symbol.flags & HIDEABLE) !== 0 && symbol.declarations[0]?.resolve(this.#project)?.parent.kind === SyntaxKind.SourceFile;
  }

  #isTypeOnly(symbol: TypeScriptSymbol): boolean {
    const specifier = symbol.declarations[0]?.resolve(this.#project);
    if (specifier === undefined || !isExportSpecifier(specifier)) return false;
    const declaration = specifier.parent.parent;
    return specifier.isTypeOnly || (isExportDeclaration(declaration) && declaration.isTypeOnly);
  }

  #target(symbol: TypeScriptSymbol): TypeScriptSymbol {
    return (symbol.flags & SymbolFlags.Alias) === 0 ? symbol : this.#checker.getAliasedSymbol(symbol);
  }
}

const HIDEABLE = SymbolFlags.Class | SymbolFlags.Interface | SymbolFlags.TypeAlias | SymbolFlags.Variable | SymbolFlags.Function;

function faultsOf(t: ExecutionContext, index: string): string[] {
  const api = new API();
  t.teardown(() => api.close());
  const project = api.updateSnapshot({ openFiles: [index] }).getDefaultProjectForFile(index);
  return new PublicFace(project as Project, index).faults();
}

for (const name of ["format", "stats", "store"]) {
  test(`every type in the public signatures of @millrace/${name} is exported by its index`, (t) => {
    t.deepEqual(faultsOf(t, join(projectRoot(), "packages", name, "dist", "index.d.ts")), []);
  });
}

test("a type that is not exported is found in members, parameters, type arguments and base types, and so is a private member", (t) => {
  const directory = join(temporaryDirectory(t), "src");
  mkdirSync(directory);
  writeFileSync(
    join(directory, "parts.d.ts"),
    `export interface Hidden {}
     export interface Shown { readonly text: string; readonly made: Date }
     export declare class Face extends Base<Shown> { private constructor(); #private; static of(hidden: Hidden): Face; get(): Shown; }
     export declare class Made { constructor(hidden: Hidden); }
     export declare class Base<T> { private seen; all(): Promise<readonly Hidden[]>; first(): T; }
     export declare function f<T>(x: T): import("./parts.js").Hidden;`,
  );
  const index = join(directory, "index.d.ts");
  writeFileSync(
    index,
    'export type { Face, Made, Shown } from "./parts.js";\nexport { f, type Base as Ground } from "./parts.js";\n',
  );
  t.deepEqual(faultsOf(t, index), ["Ground → Hidden", "Ground: a private member that is no #private one", "f → Hidden"]);
  writeFileSync(index, 'export { Face, Made, type Shown } from "./parts.js";\n');
  t.deepEqual(faultsOf(t, index), ["Face → Base", "Face → Hidden", "Made → Hidden"]);
});
