/** The contract's words for kinds of work, and ours. */

import { TaskType as TaskTypeEnum } from "../../gen/sluice/v1/generation_pb.ts";
import type { TaskType } from "../domain/deployment.ts";

const TASK_TYPES: Readonly<Record<TaskTypeEnum, TaskType | undefined>> = {
  [TaskTypeEnum.UNSPECIFIED]: undefined,
  [TaskTypeEnum.TEXT_GENERATION]: "text_generation",
  [TaskTypeEnum.CODE_GENERATION]: "code_generation",
  [TaskTypeEnum.ANALYSIS]: "analysis",
  [TaskTypeEnum.REASONING]: "reasoning",
  [TaskTypeEnum.SUMMARIZATION]: "summarization",
  [TaskTypeEnum.TRANSLATION]: "translation",
  [TaskTypeEnum.CLASSIFICATION]: "classification",
  [TaskTypeEnum.EXTRACTION]: "extraction",
  [TaskTypeEnum.VISION_ANALYSIS]: "vision_analysis",
  [TaskTypeEnum.LONG_CONTEXT]: "long_context",
  [TaskTypeEnum.STREAMING]: "streaming",
  [TaskTypeEnum.BATCH_PROCESSING]: "batch_processing",
};

const NUMBERS = new Map(
  Object.entries(TASK_TYPES).map(([number, task]) => [task, Number(number) as TaskTypeEnum]),
);

/** Whether the contract knows the value. */
export function isTaskType(value: TaskTypeEnum): boolean {
  return Object.hasOwn(TASK_TYPES, value);
}

/** Our word; undefined for an unset or unknown value. */
export function readTaskType(value: TaskTypeEnum): TaskType | undefined {
  return TASK_TYPES[value];
}

/** The contract's word; unset for undefined. */
export function encodeTaskType(task: TaskType | undefined): TaskTypeEnum {
  return NUMBERS.get(task) ?? TaskTypeEnum.UNSPECIFIED;
}
