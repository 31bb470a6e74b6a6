/** Names that a restore uses inside the storage begin so; a backup leaves them out. */
export const OWN_PREFIX = ".infrahub-restore-";

/**
 * Moves all entries of a directory but ours: by names in batches, as there may be very many. The
 * storage itself is never renamed: in a container it is where a volume is mounted.
 */
const MOVE = `move() { # from, to
  find "$1" -mindepth 1 -maxdepth 1 ! -name '${OWN_PREFIX}*' \\
    -exec sh -c 'to=$1; shift; exec mv -- "$@" "$to/"' sh "$2" {} +
}
set -e
cd "$1"
new=./$2.new
part=./$2.part
former=./$2.former
`;

/**
 * Puts what lies in `new` in the place of what is there: arguments are the storage and the name of
 * the run. `part` takes the old objects and becomes `former` when it has all of them: so it is known
 * at every instant whose objects those in the storage are.
 */
export const EXCHANGE = `${MOVE}
mkdir "$part"
move . "$part"
mv "$part" "$former"
move "$new" .
rmdir "$new"
`;

/** Takes {@linkcode EXCHANGE} back, however far it has come; may be run again. */
export const PUT_BACK = `${MOVE}
if [ -d "$former" ]; then
  mkdir -p "$new"
  move . "$new"
  mv "$former" "$part"
fi
if [ -d "$part" ]; then
  move "$part" .
  rmdir "$part"
fi
rm -rf "$new"
`;
