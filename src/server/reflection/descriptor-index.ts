import { type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Finds the files that reflection serves, by name and by what they declare. */
export class DescriptorIndex {
  readonly #byName = new Map<string, DescFile>();
  readonly #bySymbol = new Map<string, DescFile>();
  readonly #byExtension = new Map<string, DescFile>();

  /** Takes the files and everything they import. */
  constructor(files: readonly DescFile[]) {
    for (const file of files) this.#add(file);
  }

  /** By the name that imports use, for example `sluice/v1/metrics.proto`. */
  findByName(name: string): DescFile | undefined {
    return this.#byName.get(protoName(name));
  }

  /** By the full name of a service, method, message, field, oneof, enum, enum value or extension. */
  findBySymbol(symbol: string): DescFile | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** By a message's full name and the number of an extension of it. */
  findByExtension(typeName: string, number: number): DescFile | undefined {
    return this.#byExtension.get(`${typeName} ${number}`);
  }

  /** The numbers of all known extensions of a message, ascending; undefined when the message is unknown. */
  listExtensions(typeName: string): number[] | undefined {
    if (!this.#bySymbol.has(typeName)) return undefined;
    const prefix = `${typeName} `;
    return [...this.#byExtension.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => Number(key.slice(prefix.length)))
      .sort((a, b) => a - b);
  }

  /** A file, first, and all it imports, serialized; files in `sent` are left out, the others are added to it. */
  collect(file: DescFile, sent: Set<string>): Uint8Array[] {
    if (sent.has(file.name)) return [];
    sent.add(file.name);
    const imported = file.dependencies.flatMap((dependency) => this.collect(dependency, sent));
    return [toBinary(FileDescriptorProtoSchema, file.proto), ...imported];
  }

  #add(file: DescFile): void {
    const name = protoName(file.name);
    if (this.#byName.has(name)) return;
    this.#byName.set(name, file);
    for (const dependency of file.dependencies) this.#add(dependency);
    for (const service of file.services) {
      this.#bySymbol.set(service.typeName, file);
      for (const method of service.methods) this.#bySymbol.set(`${service.typeName}.${method.name}`, file);
    }
    for (const type of nestedTypes(file)) {
      this.#bySymbol.set(type.typeName, file);
      if (type.kind === "message") this.#addMembers(type, file);
      if (type.kind === "extension") {
        this.#byExtension.set(`${type.extendee.typeName} ${type.number}`, file);
      }
      if (type.kind === "enum") {
        // An enum's values are named beside it, not inside it (descriptor.proto).
        const scope = type.typeName.slice(0, type.typeName.lastIndexOf(".") + 1);
        for (const value of type.values) this.#bySymbol.set(scope + value.name, file);
      }
    }
  }

  #addMembers(message: DescMessage, file: DescFile): void {
    for (const field of message.fields) this.#bySymbol.set(`${message.typeName}.${field.name}`, file);
    for (const oneof of message.oneofs) this.#bySymbol.set(`${message.typeName}.${oneof.name}`, file);
  }
}

/** `DescFile.name` has no suffix; the names in imports have. */
function protoName(name: string): string {
  return name.endsWith(".proto") ? name : `${name}.proto`;
}
