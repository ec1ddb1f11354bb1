// The page: reads the report that stands in it and lays out a section for all that it holds.
import { showPage } from "./page.ts";
import { readReport } from "./schema.ts";

const root = document.getElementById("report");
const data = document.getElementById("report-data");
if (!root || !data) throw new Error("the page lacks its elements");
try {
  showPage(root, readReport(data.textContent ?? ""));
} catch (error) {
  root.textContent = `This report cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
  throw error;
}
