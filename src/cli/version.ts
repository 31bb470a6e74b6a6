import project from "../../deno.json" with { type: "json" };

/** Version of this program, as recorded in every backup that it makes. */
export const VERSION: string = project.version;
