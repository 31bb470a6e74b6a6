/** Infrahub, as its users see it: by GraphQL and REST, with the token of the first administrator. */

import { waitUntil } from "../e2e/deployment.ts";
import { ANSWER_TIMEOUT_MS, isTimeout } from "./task_manager.ts";

/** Everything that the application answers about its data; equal data has equal answers. */
export interface Answers {
  readonly version: string;
  readonly branches: readonly unknown[];
  /** Objects of every branch, by the branch's name. */
  readonly objects: Readonly<Record<string, unknown>>;
  readonly accounts: readonly unknown[];
  readonly proposedChanges: readonly unknown[];
  /** The digest of the schema of every branch. */
  readonly schemas: Readonly<Record<string, string>>;
}

/** A task of Infrahub's that has not ended. */
export interface Task {
  readonly id: string;
  readonly title: string;
  readonly state: string;
}

interface Edges {
  readonly edges: readonly { readonly node: Readonly<Record<string, unknown>> }[];
}

interface Branch {
  readonly name: string;
}

const SETTLE_TIMEOUT_MS = 300_000;
const UNENDED = "[SCHEDULED, PENDING, RUNNING]";

/** The schema that {@linkcode Application.seed} loads. @param deviceAttributes further ones */
function schema(deviceAttributes: readonly unknown[] = []): unknown {
  const display = {
    human_friendly_id: ["name__value"],
    display_label: "{{ name__value }}",
  };
  return {
    version: "1.0",
    nodes: [{
      ...display,
      name: "Device",
      namespace: "Lab",
      attributes: [
        { name: "name", kind: "Text", unique: true },
        { name: "serial", kind: "Text", optional: true },
        { name: "height", kind: "Number", optional: true },
        ...deviceAttributes,
      ],
      relationships: [
        { name: "site", peer: "LabSite", cardinality: "one", optional: true, kind: "Attribute" },
      ],
    }, {
      ...display,
      name: "Site",
      namespace: "Lab",
      attributes: [
        { name: "name", kind: "Text", unique: true },
        { name: "description", kind: "Text", optional: true },
      ],
      relationships: [
        { name: "devices", peer: "LabDevice", cardinality: "many", optional: true },
      ],
    }],
  };
}

/** A running server. */
export class Application {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** Whether it is there. */
  async answers(): Promise<boolean> {
    try {
      const response = await fetch(`${this.#url}/api/config`, {
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.ok;
    } catch (error) {
      // fetch() has no class of its own for a connection that is refused; and a server that starts may
      // take connections long before it answers.
      if (error instanceof TypeError || isTimeout(error)) return false;
      throw error;
    }
  }

  /** Runs a query. @throws {Error} with the first error of the answer */
  async query<T>(query: string, branch = "main"): Promise<T> {
    const answer = await this.#request<{
      readonly data: T;
      readonly errors?: readonly { readonly message: string }[];
    }>(`/graphql/${encodeURIComponent(branch)}`, { query });
    const [error] = answer.errors ?? [];
    if (error !== undefined) throw new Error(`Infrahub: ${error.message}, asked ${query}`);
    return answer.data;
  }

  /** Calls the REST API: POST with a body, else GET. @throws {Error} unless it answers well */
  async #request<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", "x-infrahub-key": this.#token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Infrahub: ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** The tasks that have not ended. */
  async tasks(): Promise<Task[]> {
    const answer = await this.query<{ readonly InfrahubTask: Edges }>(
      `{ InfrahubTask(state: ${UNENDED}) { edges { node { id title state } } } }`,
    );
    return answer.InfrahubTask.edges.map(({ node }) => node as unknown as Task);
  }

  /** Waits until no task is queued or running. @throws {Error} naming those that do not end */
  async settle(): Promise<void> {
    let left: readonly Task[] = [];
    const name = (): string => `The end of ${left.map(({ title }) => title).join(", ")}`;
    await waitUntil(name, async () => (left = await this.tasks()).length === 0, SETTLE_TIMEOUT_MS);
  }

  /**
   * Fills it: a schema, sites with devices, a branch on which some differ, a tag, an account, an
   * object in the storage, and a proposed change.
   *
   * @returns the id of what is in the storage
   */
  async seed(): Promise<string> {
    await this.loadSchema();
    for (let site = 0; site < 5; site++) {
      const id = await this.create("LabSite", {
        name: `site-${site}`,
        description: `the site number ${site}, "äöü" 'q'\\n`,
      });
      const devices = Array.from({ length: 20 }, (_, device) => ({
        name: `device-${site}-${device}`,
        serial: `SN-${site}-${device}`,
        height: device % 7,
      }));
      await this.#createMany("LabDevice", devices, `site: { id: "${id}" }`);
    }
    await this.createBranch("work-1");
    await this.update("LabDevice", "device-0-0", { serial: "SERIAL-ON-BRANCH" }, "work-1");
    await this.create("LabDevice", { name: "only-on-branch", serial: "B1" }, "work-1");
    await this.create("BuiltinTag", { name: "blue" });
    await this.create("CoreAccount", {
      name: "operator",
      password: "operator-1",
      account_type: "User",
    });
    await this.create("CoreProposedChange", {
      name: "take the work of branch 1",
      source_branch: "work-1",
      destination_branch: "main",
    });
    const { identifier } = await this.#request<{ readonly identifier: string }>(
      "/api/storage/upload/content",
      { content: "the content of an artifact, kept beside the databases" },
    );
    await this.settle();
    return identifier;
  }

  /** Creates, changes and deletes, of everything that {@linkcode seed} made; also in the schema. */
  async change(): Promise<void> {
    for (let device = 0; device < 5; device++) {
      await this.update("LabDevice", `device-1-${device}`, { serial: `CHANGED-${device}` });
      await this.delete("LabDevice", `device-2-${device}`);
    }
    await this.delete("BuiltinTag", "blue");
    await this.create("BuiltinTag", { name: "red" });
    await this.create("LabSite", { name: "site-new", description: "after the first backup" });
    await this.create("CoreAccount", {
      name: "newcomer",
      password: "newcomer-1",
      account_type: "User",
    });
    await this.deleteBranch("work-1");
    await this.createBranch("work-2");
    await this.loadSchema([{ name: "colour", kind: "Text", optional: true }]);
    await this.settle();
  }

  /**
   * Uses it as people do: an object on a branch, merged and deleted, all of which goes by way of the
   * task manager and the worker. Leaves nothing behind.
   *
   * @param name of what is made; nothing may have had it before
   */
  async use(name: string): Promise<void> {
    await this.createBranch(name);
    await this.create("LabDevice", { name, serial: "X" }, name);
    await this.query(
      `mutation { BranchMerge(data: { name: "${name}" }, wait_until_completion: true) { ok } }`,
    );
    await this.update("LabDevice", name, { serial: "merged" });
    await this.deleteBranch(name);
    await this.delete("LabDevice", name);
    await this.settle();
  }

  /** Everything that it answers. */
  async everything(): Promise<Answers> {
    const { Branch } = await this.query<{ readonly Branch: readonly Branch[] }>(
      "{ Branch { id name is_default sync_with_git has_schema_changes status } }",
    );
    const branches = Branch.toSorted((a, b) => a.name < b.name ? -1 : 1);
    const objects: Record<string, unknown> = {};
    const schemas: Record<string, string> = {};
    for (const { name } of branches) {
      objects[name] = {
        devices: await this.#nodes(
          "LabDevice",
          "display_label name { value } serial { value updated_at } height { value } " +
            "site { node { id } }",
          name,
        ),
        sites: await this.#nodes("LabSite", "name { value } description { value }", name),
        tags: await this.#nodes("BuiltinTag", "name { value }", name),
      };
      const summary = await this.#request<{ readonly main: string }>(
        `/api/schema/summary?branch=${encodeURIComponent(name)}`,
      );
      schemas[name] = summary.main;
    }
    const { version } = await this.#request<{ readonly version: string }>("/api/info");
    return {
      version,
      branches,
      objects,
      schemas,
      accounts: await this.#nodes("CoreAccount", "name { value } account_type { value }"),
      proposedChanges: await this.#nodes(
        "CoreProposedChange",
        "name { value } source_branch { value } destination_branch { value } state { value }",
      ),
    };
  }

  /** All objects of a kind, sorted by their ids. */
  async #nodes(kind: string, fields: string, branch?: string): Promise<unknown[]> {
    const query = `{ ${kind}(limit: 1000) { edges { node { id ${fields} } } } }`;
    const { [kind]: found } = await this.query<Record<string, Edges>>(query, branch);
    return (found?.edges ?? []).map(({ node }) => node)
      .toSorted((a, b) => String(a.id) < String(b.id) ? -1 : 1);
  }

  /** Loads the schema, and waits until every worker has it. */
  async loadSchema(deviceAttributes?: readonly unknown[]): Promise<void> {
    await this.#request("/api/schema/load?branch=main", { schemas: [schema(deviceAttributes)] });
    await this.settle();
  }

  /** Creates an object. @returns its id */
  async create(
    kind: string,
    values: Readonly<Record<string, string | number>>,
    branch?: string,
  ): Promise<string> {
    const { [`${kind}Create`]: created } = await this.query<
      Record<string, { readonly object: { readonly id: string } }>
    >(`mutation { ${kind}Create(data: { ${inputs(values)} }) { object { id } } }`, branch);
    if (created === undefined) throw new Error(`Infrahub has created no ${kind}`);
    return created.object.id;
  }

  async #createMany(
    kind: string,
    many: readonly Readonly<Record<string, string | number>>[],
    others: string,
  ): Promise<void> {
    const mutations = many.map((values, index) =>
      `m${index}: ${kind}Create(data: { ${inputs(values)} ${others} }) { ok }`
    );
    await this.query(`mutation { ${mutations.join(" ")} }`);
  }

  /** Changes an object, found by its name. */
  async update(
    kind: string,
    name: string,
    values: Readonly<Record<string, string | number>>,
    branch?: string,
  ): Promise<void> {
    const data = `hfid: ["${name}"] ${inputs(values)}`;
    await this.query(`mutation { ${kind}Update(data: { ${data} }) { ok } }`, branch);
  }

  /** Deletes an object, found by its name. */
  async delete(kind: string, name: string): Promise<void> {
    await this.query(`mutation { ${kind}Delete(data: { hfid: ["${name}"] }) { ok } }`);
  }

  /** Makes a branch, and waits until it is there. */
  async createBranch(name: string): Promise<void> {
    await this.query(
      `mutation { BranchCreate(data: { name: "${name}", sync_with_git: false }, ` +
        "wait_until_completion: true) { ok } }",
    );
  }

  /** Deletes a branch, and waits until it is gone. */
  async deleteBranch(name: string): Promise<void> {
    await this.query(
      `mutation { BranchDelete(data: { name: "${name}" }, wait_until_completion: true) { ok } }`,
    );
  }
}

/** Attribute values as GraphQL's input: its literals are JSON's. */
function inputs(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: { value: ${JSON.stringify(value)} }`).join(" ");
}
