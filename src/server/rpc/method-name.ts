import type { DescMethod } from "@bufbuild/protobuf";

/** A method's full name, for example `sluice.v1.RouterService/Generate`. */
export function nameMethod(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
