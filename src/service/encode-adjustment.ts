/** Adjustments in the contract's words. */

import { create } from "@bufbuild/protobuf";
import {
  type Adjustment as AdjustmentMessage,
  AdjustmentReason as AdjustmentReasonEnum,
  AdjustmentSchema,
} from "../../gen/sluice/v1/generation_pb.ts";
import type { Adjustment, AdjustmentReason } from "../domain/adjustment.ts";

const REASONS: Readonly<Record<AdjustmentReason, AdjustmentReasonEnum>> = {
  out_of_range: AdjustmentReasonEnum.OUT_OF_RANGE,
  not_supported: AdjustmentReasonEnum.NOT_SUPPORTED,
  context_window: AdjustmentReasonEnum.CONTEXT_WINDOW,
  operator_setting: AdjustmentReasonEnum.OPERATOR_SETTING,
  requirement_relaxed: AdjustmentReasonEnum.REQUIREMENT_RELAXED,
  larger_model: AdjustmentReasonEnum.LARGER_MODEL,
};

/** What was changed, as callers see it. */
export function encodeAdjustment({ field, asked, used, reason }: Adjustment): AdjustmentMessage {
  return create(AdjustmentSchema, { field, asked, used, reason: REASONS[reason] });
}
