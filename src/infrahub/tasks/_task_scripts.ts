/**
 * Programs for the worker's Python, for versions of Infrahub whose own command line cannot do it.
 * They are fed to `python -u -`, so that nothing is copied and nothing has to be removed.
 */

/** Prints the tasks that are scheduled, pending or running as a JSON array. */
export const RUNNING_TASKS_SCRIPT = `
import json
from infrahub_sdk import InfrahubClientSync
from infrahub_sdk.task.models import TaskFilter, TaskState

client = InfrahubClientSync()
states = [TaskState.SCHEDULED, TaskState.PENDING, TaskState.RUNNING]
tasks = client.task.filter(filter=TaskFilter(state=states))
print(json.dumps([
    {"id": str(task.id), "title": task.title, "state": task.state.value} for task in tasks
]))
`;

/** Deletes or crashes old flow runs; arguments: days to keep, batch size. */
function flushScript(states: readonly string[], verb: string, action: string): string {
  return `
import asyncio
import sys
from datetime import datetime, timedelta, timezone

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.states import Crashed

days, batch = int(sys.argv[1]), int(sys.argv[2])


async def main():
    before = datetime.now(timezone.utc) - timedelta(days=days)
    wanted = FlowRunFilter(
        start_time=FlowRunFilterStartTime(before_=before),
        state=FlowRunFilterState(
            type=FlowRunFilterStateType(any_=[${
    states.map((state) => `StateType.${state}`).join(", ")
  }])
        ),
    )
    total = failed = 0
    async with get_client() as client:
        while True:
            # Those that failed stay in front of the list, and are read over.
            runs = await client.read_flow_runs(flow_run_filter=wanted, limit=batch, offset=failed)
            if not runs:
                break
            for run in runs:
                try:
                    ${action}
                    total += 1
                except Exception as error:
                    failed += 1
                    print(f"Failed to ${verb} flow run {run.id}: {error}")
                if total % 10 == 0:
                    await asyncio.sleep(0.5)
            print(f"{total} done, {failed} failed")
            await asyncio.sleep(1)
    print(f"Finished: {total} done, {failed} failed")
    if failed:
        sys.exit(1)


asyncio.run(main())
`;
}

/** Deletes flow runs that ended long ago. */
export const FLUSH_FLOW_RUNS_SCRIPT = flushScript(
  ["COMPLETED", "FAILED", "CANCELLED"],
  "delete",
  "await client.delete_flow_run(run.id)",
);

/** Marks flow runs as crashed that have been running for too long. */
export const FLUSH_STALE_RUNS_SCRIPT = flushScript(
  ["RUNNING"],
  "crash",
  "await client.set_flow_run_state(run.id, Crashed(), force=True)",
);
