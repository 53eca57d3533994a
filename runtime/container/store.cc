#include "runtime/container/store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::container {
namespace {

using std::chrono::milliseconds;

constexpr const char* kRecord = "record.json";
constexpr const char* kLock = "lock";
constexpr const char* kConfig = "config.json";
constexpr const char* kNotify = "notify";
constexpr size_t kRecordLimit = 32UL * 1024 * 1024;
constexpr size_t kConfigLimit = 32UL * 1024 * 1024;  // spec::kMaxDocumentSize is less

/// What a directory is called once it is nobody's: no id begins with '~'.
std::string grave_of(const std::string& id) { return cat('~', id); }

bool is_absent(const Error& error) { return error.code() == ENOENT; }

/// The error unless it says that there is nothing.
Status unless_absent(Status status) {
  if (!status && is_absent(status.error())) return ok();
  return status;
}

const char* name_of(Fifo fifo) { return fifo == Fifo::kExec ? "exec.fifo" : "report.fifo"; }

/// More than we make. A container that may mount, of a user without privileges, can make its notify
/// directory writable, and is not to fill our stack.
constexpr int kDeepest = 64;

Status remove_directory(int root, const std::string& name, int levels = kDeepest);

Status remove_files(int directory, int levels) {
  const std::vector<std::string> files = TRY(sys::list_directory(directory));
  for (const std::string& file : files) {
    Status removed = unless_absent(sys::unlinkat(directory, file, 0));
    if (!removed && removed.error().code() == EISDIR && levels > 0) {
      removed = remove_directory(directory, file, levels - 1);
    }
    TRY(std::move(removed), quoted(file));
  }
  return ok();
}

/// Removes the directory `name` and what is in it. A command that found the container before it
/// was deleted may still make its lock file in there: again, then, but not for ever.
Status remove_directory(int root, const std::string& name, int levels) {
  Result<UniqueFd> opened = sys::openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened && is_absent(opened.error())) return ok();
  const UniqueFd directory = TRY(std::move(opened));
  constexpr int kTries = 64;
  Status removed = ok();
  for (int tries = 0; tries < kTries; ++tries) {
    TRY(remove_files(directory.get(), levels));
    removed = unless_absent(sys::unlinkat(root, name, AT_REMOVEDIR));
    if (removed || removed.error().code() != ENOTEMPTY) return removed;
  }
  return removed;
}

/// Waits for the process that holds the lock to end, but not long: it may give it up alive.
Status wait_for_holder(int lock, milliseconds patience) {
  const std::optional<pid_t> holder = TRY(sys::lock_holder(lock));
  if (!holder) return ok();
  constexpr milliseconds kSlice{50};
  const Result<UniqueFd> pidfd = sys::pidfd_open(*holder);
  if (!pidfd && pidfd.error().code() == ESRCH) return ok();
  // A holder that we cannot see (another pid namespace) is waited for all the same.
  std::vector<int> watched;
  if (pidfd) watched.push_back(pidfd.value().get());
  TRY(sys::wait_readable(watched, std::min(patience, kSlice)));
  return ok();
}

}  // namespace

Status check_id(std::string_view id) {
  constexpr std::string_view kOthers = "_+.-";
  constexpr size_t kLimit = 254;  // NAME_MAX, and the '~' of a removal
  const bool letters = std::ranges::all_of(id, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
  const bool valid =
      letters && !id.empty() && id.size() <= kLimit && id[0] != '-' && id != "." && id != "..";
  if (!valid) return Error(cat("invalid container ID format: ", quoted(id.substr(0, kLimit))));
  return ok();
}

Entry::Entry(int root, std::string id, std::string path, UniqueFd directory)
    : root_(root), id_(std::move(id)), path_(std::move(path)), directory_(std::move(directory)) {}

Error no_such_container(std::string_view id) {
  return Error(cat(id, ": container does not exist"));
}

Result<std::string> notify_directory(const std::string& root, const std::string& id) {
  const std::string path = cat(root, '/', id, '/', kNotify);
  if (root.starts_with('/')) return path;
  const std::string here = TRY(sys::getcwd());
  return cat(here, '/', path);
}

Result<bool> Entry::is_present() const {
  const struct stat ours = TRY(sys::fstat(directory_.get()));
  const Result<struct stat> now = sys::fstatat(root_, id_, AT_SYMLINK_NOFOLLOW);
  if (!now && is_absent(now.error())) return false;
  if (!now) return now.error();
  return now.value().st_ino == ours.st_ino && now.value().st_dev == ours.st_dev;
}

Result<bool> Entry::lock(milliseconds patience) {
  Result<UniqueFd> opened =
      sys::openat(directory_.get(), kLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!opened && is_absent(opened.error())) return false;
  UniqueFd file = TRY(std::move(opened), path_, '/', kLock);
  const auto deadline = sys::monotonic_clock() + patience;
  Status locked = sys::lock(file.get(), false);
  while (!locked && locked.error().code() == EAGAIN) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - sys::monotonic_clock());
    if (left <= milliseconds(0)) return Error(cat(id_, ": another command is at work on it"));
    TRY(wait_for_holder(file.get(), left), path_, '/', kLock);
    locked = sys::lock(file.get(), false);
  }
  TRY(std::move(locked), path_, '/', kLock);
  const bool present = TRY(is_present(), path_);
  if (present) lock_ = std::move(file);
  return present;
}

Result<bool> Entry::locked_by_other() const {
  // Opening and closing the file once more would drop our own lock.
  if (lock_) return false;
  Result<UniqueFd> opened = sys::openat(directory_.get(), kLock, O_RDONLY | O_NOFOLLOW);
  if (!opened && is_absent(opened.error())) return false;
  const UniqueFd file = TRY(std::move(opened), path_, '/', kLock);
  const std::optional<pid_t> holder = TRY(sys::lock_holder(file.get()), path_, '/', kLock);
  return holder.has_value();
}

Error Entry::interrupted() const {
  return Error(cat(path_, '/', kRecord, ": container does not exist: its create was interrupted"))
      .with_hint("delete --force removes what is left");
}

Result<Record> Entry::load() const {
  // Not blocking: what lies there might be a fifo.
  Result<UniqueFd> opened =
      sys::openat(directory_.get(), kRecord, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!opened && is_absent(opened.error())) return interrupted();
  const UniqueFd file = TRY(std::move(opened), path_, '/', kRecord);
  const std::string text = TRY(sys::read_all(file.get(), kRecordLimit), path_, '/', kRecord);
  if (text.empty()) return interrupted();  // by a power failure
  Record record = TRY(parse_record(text), path_, '/', kRecord);
  if (record.id != id_) {
    return Error(cat(path_, '/', kRecord, ": describes another container: ", quoted(record.id)));
  }
  return record;
}

/// As a whole or not at all, whoever is killed meanwhile. Not synced: what a power failure can cut
/// short describes a container that is gone with it.
Status Entry::replace(const std::string& name, std::string_view text) const {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const std::string next = name + ".new";
  Result<UniqueFd> opened = sys::openat(directory_.get(), next, kFlags, 0600);
  if (!opened && opened.error().code() == EEXIST) {
    // Left by a command that was killed; nobody else can be writing it while we hold the lock.
    TRY(sys::unlinkat(directory_.get(), next, 0), path_);
    opened = sys::openat(directory_.get(), next, kFlags, 0600);
  }
  const UniqueFd file = TRY(std::move(opened), path_, '/', next);
  TRY(sys::write_all(file.get(), text), path_, '/', next);
  TRY(sys::renameat(directory_.get(), next, directory_.get(), name), path_);
  return ok();
}

Status Entry::save(const Record& record) const { return replace(kRecord, to_json(record)); }

Result<std::optional<std::string>> Entry::load_document(const char* name) const {
  Result<UniqueFd> opened = sys::openat(directory_.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!opened && is_absent(opened.error())) return std::optional<std::string>();
  const UniqueFd file = TRY(std::move(opened), path_, '/', name);
  std::string text = TRY(sys::read_all(file.get(), kConfigLimit), path_, '/', name);
  return std::optional<std::string>(std::move(text));
}

Result<std::optional<std::string>> Entry::load_resources() const {
  return load_document(kResources);
}
Status Entry::save_resources(std::string_view text) const { return replace(kResources, text); }

Result<std::optional<std::string>> Entry::load_intent() const { return load_document(kIntent); }
Status Entry::save_intent(std::string_view text) const { return replace(kIntent, text); }
Status Entry::drop_intent() const {
  TRY(sys::unlinkat(directory_.get(), kIntent, 0), path_, '/', kIntent);
  return ok();
}

Result<std::string> Entry::load_config() const {
  const UniqueFd file =
      TRY(sys::openat(directory_.get(), kConfig, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), path_, '/',
          kConfig);
  std::string text = TRY(sys::read_all(file.get(), kConfigLimit), path_, '/', kConfig);
  return text;
}

Status Entry::save_config(std::string_view text) const {
  // Not synced: after a power failure there is no container to start or to join.
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const UniqueFd file =
      TRY(sys::openat(directory_.get(), kConfig, kFlags, 0600), path_, '/', kConfig);
  TRY(sys::write_all(file.get(), text), path_, '/', kConfig);
  return ok();
}

Status Entry::make_fifo(Fifo fifo) const {
  const char* name = name_of(fifo);
  TRY(sys::mknodat(directory_.get(), name, S_IFIFO | 0600, 0), path_, '/', name);
  return ok();
}

Result<UniqueFd> Entry::open_fifo(Fifo fifo, int flags) const {
  return sys::openat(directory_.get(), name_of(fifo), flags | O_NOFOLLOW);
}

Status Entry::remove_fifo(Fifo fifo) const {
  const char* name = name_of(fifo);
  TRY(unless_absent(sys::unlinkat(directory_.get(), name, 0)), path_, '/', name);
  return ok();
}

Status Entry::make_notify_directory() const {
  TRY(sys::mkdirat(directory_.get(), kNotify, 0711), path_, '/', kNotify);
  // Whatever our umask is.
  TRY(sys::fchmodat(directory_.get(), kNotify, 0711), path_, '/', kNotify);
  return ok();
}

Result<UniqueFd> Entry::open_notify_directory() const {
  UniqueFd directory =
      TRY(sys::openat(directory_.get(), kNotify, O_PATH | O_DIRECTORY | O_NOFOLLOW), path_, '/',
          kNotify);
  return directory;
}

Result<uid_t> Entry::owner() const {
  const struct stat info = TRY(sys::fstat(directory_.get()), path_);
  return info.st_uid;
}

Status Entry::remove() {
  const std::string grave = grave_of(id_);
  // What an interrupted removal left there.
  TRY(remove_directory(root_, grave), path_);
  TRY(sys::renameat(root_, id_, root_, grave), path_);
  TRY(remove_directory(root_, grave), path_);
  return ok();
}

Result<Entry> Store::reserve(const std::string& id) const {
  TRY(check_id(id));
  const std::string path = cat(path_, '/', id);
  const Status made = sys::mkdirat(directory_.get(), id, 0700);
  if (!made && made.error().code() == EEXIST) {
    return Error(cat(id, ": container with given ID already exists"));
  }
  TRY(made, path);
  Rollback undo;
  undo.add([&] { static_cast<void>(sys::unlinkat(directory_.get(), id, AT_REMOVEDIR)); });
  UniqueFd directory =
      TRY(sys::openat(directory_.get(), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path);
  Entry entry(directory_.get(), id, path, std::move(directory));
  const bool locked = TRY(entry.lock(kLockPatience));
  // `delete --force` may have found the directory before us.
  if (!locked) return Error(cat(id, ": deleted while it was created"));
  undo.commit();
  return entry;
}

Result<std::optional<Entry>> Store::find(const std::string& id) const {
  TRY(check_id(id));
  if (!directory_) return std::optional<Entry>();
  const std::string path = cat(path_, '/', id);
  Result<UniqueFd> opened = sys::openat(directory_.get(), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!opened && is_absent(opened.error())) return std::optional<Entry>();
  UniqueFd directory = TRY(std::move(opened), path);
  return std::optional<Entry>(Entry(directory_.get(), id, path, std::move(directory)));
}

Result<Entry> Store::require(const std::string& id) const {
  std::optional<Entry> entry = TRY(find(id));
  if (!entry) return no_such_container(id);
  return *std::move(entry);
}

Result<std::optional<Entry>> Store::find_locked(const std::string& id) const {
  std::optional<Entry> entry = TRY(find(id));
  if (!entry) return std::optional<Entry>();
  const bool locked = TRY(entry->lock(kLockPatience));
  if (!locked) return std::optional<Entry>();
  return entry;
}

Result<std::vector<std::string>> Store::ids() const {
  if (!directory_) return std::vector<std::string>();
  std::vector<std::string> names = TRY(sys::list_directory(directory_.get()), path_);
  std::erase_if(names, [](const std::string& name) { return !check_id(name).ok(); });
  std::ranges::sort(names);
  return names;
}

Status Store::sweep(const std::string& id) const {
  TRY(check_id(id));
  if (!directory_) return ok();
  TRY(remove_directory(directory_.get(), grave_of(id)), path_, '/', grave_of(id));
  return ok();
}

}  // namespace rt::container
