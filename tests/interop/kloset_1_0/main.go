// A client of the last generation of the kloset library that knows state version 1.0.0 alone
// (v1.0.12, the one inside plakar v1.0.6). The interop tests ask it whether repositories that were
// written in the 1.0 flavour are still open to it, and golden repositories are made with it.
//
//	kloset_1_0 REPOSITORY create [-no-compression] [-min N -normal N -max N]
//	kloset_1_0 REPOSITORY stream NAME TAG… < content   one file; stores it as the Go tool did, the
//	                                                   entry's name being the path: "/NAME"
//	kloset_1_0 REPOSITORY ls                           ids, one a line
//	kloset_1_0 REPOSITORY check                        every snapshot; exits 1 on damage
//	kloset_1_0 REPOSITORY cat ID PATH
//	kloset_1_0 REPOSITORY rm ID
//
// State databases go to a temporary folder that is removed at the end.
package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/PlakarKorp/kloset/caching"
	"github.com/PlakarKorp/kloset/caching/pebble"
	"github.com/PlakarKorp/kloset/compression"
	"github.com/PlakarKorp/kloset/hashing"
	"github.com/PlakarKorp/kloset/kcontext"
	"github.com/PlakarKorp/kloset/logging"
	"github.com/PlakarKorp/kloset/objects"
	"github.com/PlakarKorp/kloset/repository"
	"github.com/PlakarKorp/kloset/resources"
	"github.com/PlakarKorp/kloset/snapshot"
	"github.com/PlakarKorp/kloset/snapshot/importer"
	"github.com/PlakarKorp/kloset/storage"
	"github.com/PlakarKorp/kloset/versioning"
)

// folder is a repository on the local file system.
type folder string

func (f folder) file(kind string, mac objects.MAC) string {
	name := hex.EncodeToString(mac[:])
	if kind == "locks" {
		return filepath.Join(string(f), kind, name)
	}
	return filepath.Join(string(f), kind, name[:2], name)
}

func (f folder) list(kind string) ([]objects.MAC, error) {
	pattern := filepath.Join(string(f), kind, "*", "*")
	if kind == "locks" {
		pattern = filepath.Join(string(f), kind, "*")
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var macs []objects.MAC
	for _, path := range paths {
		raw, err := hex.DecodeString(filepath.Base(path))
		if err == nil && len(raw) == len(objects.MAC{}) {
			macs = append(macs, objects.MAC(raw))
		}
	}
	return macs, nil
}

func (f folder) put(kind string, mac objects.MAC, rd io.Reader) (int64, error) {
	target := f.file(kind, mac)
	temporary, err := os.CreateTemp(filepath.Join(string(f), kind), "tmp.")
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(temporary, rd)
	if err = errors.Join(err, temporary.Close()); err != nil {
		return n, err
	}
	return n, os.Rename(temporary.Name(), target)
}

func (f folder) Create(_ context.Context, config []byte) error {
	for _, kind := range []string{"packfiles", "states"} {
		for bucket := range 256 {
			path := filepath.Join(string(f), kind, fmt.Sprintf("%02x", bucket))
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(string(f), "locks"), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(f), "CONFIG"), config, 0o600)
}

func (f folder) Open(context.Context) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), "CONFIG"))
}
func (f folder) Location(context.Context) (string, error) { return "folder:" + string(f), nil }
func (f folder) Mode(context.Context) (storage.Mode, error) {
	return storage.ModeRead | storage.ModeWrite, nil
}
func (f folder) Size(context.Context) (int64, error) { return -1, nil }
func (f folder) Close(context.Context) error         { return nil }

func (f folder) GetStates(context.Context) ([]objects.MAC, error) { return f.list("states") }
func (f folder) PutState(_ context.Context, mac objects.MAC, rd io.Reader) (int64, error) {
	return f.put("states", mac, rd)
}
func (f folder) GetState(_ context.Context, mac objects.MAC) (io.ReadCloser, error) {
	return os.Open(f.file("states", mac))
}
func (f folder) DeleteState(_ context.Context, mac objects.MAC) error {
	return os.Remove(f.file("states", mac))
}
func (f folder) GetPackfiles(context.Context) ([]objects.MAC, error) { return f.list("packfiles") }
func (f folder) PutPackfile(_ context.Context, mac objects.MAC, rd io.Reader) (int64, error) {
	return f.put("packfiles", mac, rd)
}
func (f folder) GetPackfile(_ context.Context, mac objects.MAC) (io.ReadCloser, error) {
	return os.Open(f.file("packfiles", mac))
}
func (f folder) DeletePackfile(_ context.Context, mac objects.MAC) error {
	return os.Remove(f.file("packfiles", mac))
}
func (f folder) GetLocks(context.Context) ([]objects.MAC, error) { return f.list("locks") }
func (f folder) PutLock(_ context.Context, mac objects.MAC, rd io.Reader) (int64, error) {
	return f.put("locks", mac, rd)
}
func (f folder) GetLock(_ context.Context, mac objects.MAC) (io.ReadCloser, error) {
	return os.Open(f.file("locks", mac))
}
func (f folder) DeleteLock(_ context.Context, mac objects.MAC) error {
	return os.Remove(f.file("locks", mac))
}

func (f folder) GetPackfileBlob(
	_ context.Context, mac objects.MAC, offset uint64, length uint32,
) (io.ReadCloser, error) {
	file, err := os.Open(f.file("packfiles", mac))
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(file, int64(offset), int64(length)), file}, nil
}

// stream is a source of one file whose length is not known beforehand.
type stream struct {
	name    string
	content io.Reader
}

func (s stream) Origin(context.Context) (string, error) { return "golden", nil }
func (s stream) Type(context.Context) (string, error)   { return "infrahub", nil }
func (s stream) Root(context.Context) (string, error)   { return "/", nil }
func (s stream) Close(context.Context) error            { return nil }
func (s stream) Scan(context.Context) (<-chan *importer.ScanResult, error) {
	path := "/" + s.name
	now := time.Now()
	directory := objects.FileInfo{Lname: "/", Lmode: os.ModeDir | 0o755, LmodTime: now}
	// A slash in the name: what infrahub-backup (Go) stored, and readers have to live with.
	file := objects.FileInfo{Lname: path, Lmode: 0o644, LmodTime: now}
	records := make(chan *importer.ScanResult, 2)
	records <- importer.NewScanRecord("/", "", directory, nil, nil)
	records <- importer.NewScanRecord(path, "", file, nil, func() (io.ReadCloser, error) {
		return io.NopCloser(s.content), nil
	})
	close(records)
	return records, nil
}

func create(ctx *kcontext.KContext, store folder, args []string) error {
	config := storage.NewConfiguration()
	config.Encryption = nil
	flags := flag.NewFlagSet("create", flag.ExitOnError)
	plain := flags.Bool("no-compression", false, "")
	smallest := flags.Uint("min", uint(config.Chunking.MinSize), "")
	normal := flags.Uint("normal", uint(config.Chunking.NormalSize), "")
	largest := flags.Uint("max", uint(config.Chunking.MaxSize), "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config.Chunking.MinSize = uint32(*smallest)
	config.Chunking.NormalSize = uint32(*normal)
	config.Chunking.MaxSize = uint32(*largest)
	config.Compression = compression.NewDefaultConfiguration()
	if *plain {
		config.Compression = nil
	}
	serialized, err := config.ToBytes()
	if err != nil {
		return err
	}
	hasher := hashing.GetHasher(storage.DEFAULT_HASHING_ALGORITHM)
	version := versioning.GetCurrentVersion(resources.RT_CONFIG)
	wrapped, err := storage.Serialize(hasher, resources.RT_CONFIG, version, bytes.NewReader(serialized))
	if err != nil {
		return err
	}
	content, err := io.ReadAll(wrapped)
	if err != nil {
		return err
	}
	return store.Create(ctx, content)
}

func backup(repo *repository.Repository, name string, tags []string) error {
	builder, err := snapshot.Create(repo, repository.DefaultType, os.TempDir(), objects.NilMac)
	if err != nil {
		return err
	}
	err = builder.Backup(stream{name, os.Stdin}, &snapshot.BackupOptions{
		MaxConcurrency: 2,
		Name:           name,
		Tags:           tags,
	})
	if err = errors.Join(err, builder.Close()); err != nil {
		return err
	}
	fmt.Printf("%x\n", builder.Header.Identifier)
	// The lock is released in the background.
	for range 200 {
		if locks, err := repo.GetLocks(); err != nil || len(locks) == 0 {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func load(repo *repository.Repository, id string) (*snapshot.Snapshot, error) {
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(objects.MAC{}) {
		return nil, fmt.Errorf("not a snapshot id: %q", id)
	}
	return snapshot.Load(repo, objects.MAC(raw))
}

func check(repo *repository.Repository) error {
	for id := range repo.ListSnapshots() {
		snap, err := snapshot.Load(repo, id)
		if err != nil {
			return fmt.Errorf("%x: %w", id, err)
		}
		results, err := repo.AppContext().GetCache().Check()
		if err != nil {
			return err
		}
		snap.SetCheckCache(results)
		err = snap.Check("/", &snapshot.CheckOptions{MaxConcurrency: 2})
		if err = errors.Join(err, snap.Close(), results.Close()); err != nil {
			return fmt.Errorf("%x: %w", id, err)
		}
		fmt.Printf("%x sound\n", id)
	}
	return nil
}

func cat(repo *repository.Repository, id, path string) error {
	snap, err := load(repo, id)
	if err != nil {
		return err
	}
	reader, err := snap.NewReader(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, reader)
	return errors.Join(err, reader.Close(), snap.Close())
}

func run(args []string) (err error) {
	if len(args) < 2 {
		return errors.New("usage: kloset_1_0 REPOSITORY COMMAND …")
	}
	cache, err := os.MkdirTemp("", "kloset-1.0-cache-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cache)) }()

	ctx := kcontext.NewKContext()
	ctx.Hostname = "golden"
	ctx.Client = "kloset/1.0.12"
	ctx.OperatingSystem = runtime.GOOS
	ctx.Architecture = runtime.GOARCH
	ctx.CacheDir = cache
	ctx.MaxConcurrency = 2
	ctx.SetLogger(logging.NewLogger(os.Stdout, os.Stderr))
	ctx.SetCache(caching.NewManager(pebble.Constructor(cache)))
	defer ctx.GetCache().Close()

	store := folder(args[0])
	command, args := args[1], args[2:]
	if command == "create" {
		return create(ctx, store, args)
	}
	config, err := store.Open(ctx)
	if err != nil {
		return err
	}
	repo, err := repository.New(ctx, nil, store, config)
	if err != nil {
		return err
	}
	defer repo.Close()

	switch {
	case command == "stream" && len(args) >= 1:
		return backup(repo, args[0], args[1:])
	case command == "ls" && len(args) == 0:
		for id := range repo.ListSnapshots() {
			fmt.Printf("%x\n", id)
		}
		return nil
	case command == "check" && len(args) == 0:
		return check(repo)
	case command == "cat" && len(args) == 2:
		return cat(repo, args[0], args[1])
	case command == "rm" && len(args) == 1:
		snap, err := load(repo, args[0])
		if err != nil {
			return err
		}
		return errors.Join(repo.DeleteSnapshot(snap.Header.Identifier), snap.Close())
	}
	return fmt.Errorf("unknown command or arguments: %s %q", command, args)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
