/** Numbers of the kinds of things a repository stores. 8 is reserved and must not be used. */
export const ResourceType = {
  CONFIG: 1,
  LOCK: 2,
  STATE: 3,
  PACKFILE: 4,
  SNAPSHOT: 5,
  SIGNATURE: 6,
  OBJECT: 7,
  CHUNK: 9,
  VFS_BTREE: 10,
  VFS_NODE: 11,
  VFS_ENTRY: 12,
  ERROR_BTREE: 13,
  ERROR_NODE: 14,
  ERROR_ENTRY: 15,
  XATTR_BTREE: 16,
  XATTR_NODE: 17,
  XATTR_ENTRY: 18,
  BTREE_ROOT: 19,
  BTREE_NODE: 20,
  /** Directory summaries; since 1.1. */
  VFS_SUMMARY: 21,
  /** Padding at the ends of packfiles. */
  RANDOM: 255,
} as const;

/** One of the known resource type numbers. Read numbers may be unknown ones: those are `number`. */
export type ResourceType = (typeof ResourceType)[keyof typeof ResourceType];

const NAMES = new Map<number, string>(
  Object.entries(ResourceType).map(([name, number]) => [number, name]),
);

/** The name of a resource type, for messages; `type 42` for an unknown number. */
export function resourceTypeName(type: number): string {
  return NAMES.get(type) ?? `type ${type}`;
}
