import { join } from "node:path";

/** The project's folder. */
export const PROJECT = join(import.meta.dirname, "..");

/** Where what is built for the conformance run is kept between runs. Never committed. */
export const TOOL_FOLDER = join(PROJECT, ".cache", "conformance");
