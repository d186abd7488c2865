import { readdirSync } from "node:fs";
import type { DescFile, DescMethod } from "@bufbuild/protobuf";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../../gen/health/v1/health_pb.ts";

const CONTRACT = new URL("../../../gen/sluice/v1/", import.meta.url);

/** The descriptors of the contract's files, whichever there are, so that a new one cannot be forgotten. */
export function listContractFiles(): Promise<readonly DescFile[]> {
  return Promise.all(
    readdirSync(CONTRACT).map(async (name): Promise<DescFile> => {
      const module: Record<string, DescFile> = await import(new URL(name, CONTRACT).href);
      const file = module[`file_sluice_v1_${name.replace("_pb.ts", "")}`];
      if (file === undefined) throw new Error(`${name} describes no file`);
      return file;
    }),
  );
}

/** Every method that a Sluice serves, from the descriptors. */
export async function listServedMethods(): Promise<readonly DescMethod[]> {
  const files = await listContractFiles();
  const services = [
    ...files.flatMap((file) => file.services),
    Health,
    ServerReflection,
    ServerReflectionAlpha,
  ];
  return services.flatMap((service) => service.methods);
}
