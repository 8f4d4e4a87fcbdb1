// SPDX-License-Identifier: BSD-2-Clause
export * from "./index.js";
import * as sctpd from "./index.js";
export default sctpd;
