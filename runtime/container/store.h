// Where containers live between two commands: ROOT/ID/record.json, lock, exec.fifo, ...
//
// A directory is reserved by mkdir(2) and given up by rename(2) to "~ID", a name that no container
// can have: for everybody else a container is there as a whole or not at all.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/unique_fd.h"
#include "runtime/container/record.h"

namespace rt::container {

/// How long a command waits for another one that works on the same container.
inline constexpr std::chrono::milliseconds kLockPatience{10000};

/// Letters, digits, "_+.-", not "." or "..", no leading '-', at most 254 bytes.
Status check_id(std::string_view id);

/// The state root when no --root is given: /run/runtime for root of the machine, else
/// $XDG_RUNTIME_DIR/runtime, also for root of a user namespace (rootless podman).
Result<std::string> default_root();

/// Where Entry::make_notify_directory makes it, for the plan: absolute.
Result<std::string> notify_directory(const std::string& root, const std::string& id);

/// "container does not exist"
Error no_such_container(std::string_view id);

enum class Fifo {
  kExec,    // stage::LaunchOptions::exec_fifo
  kReport,  // stage::ReportPipe; there only when init may have something to report
};

/// The directory of one container. Its files are reached through its descriptor: a container of the
/// same name that comes later is never touched.
class Entry {
 public:
  Entry(int root, std::string id, std::string path, UniqueFd directory);

  [[nodiscard]] const std::string& id() const { return id_; }
  /// For messages.
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Waits until no other process works on this container, then keeps them all out: true. False
  /// when it was deleted meanwhile; an error when `patience` runs out. The lock is released when
  /// this process ends, at the latest.
  Result<bool> lock(std::chrono::milliseconds patience);
  void unlock() { lock_.reset(); }
  [[nodiscard]] bool is_locked() const { return static_cast<bool>(lock_); }
  /// Whether another process holds the lock.
  [[nodiscard]] Result<bool> locked_by_other() const;

  [[nodiscard]] Result<Record> load() const;
  /// Replaces the record, as a whole or not at all (decision 15). Precondition: locked.
  [[nodiscard]] Status save(const Record& record) const;

  /// The document that the container was created from, as it was then: for hooks and `exec`.
  /// Precondition of saving: locked.
  [[nodiscard]] Result<std::string> load_config() const;
  [[nodiscard]] Status save_config(std::string_view text) const;

  /// Names of files of the entry, for messages.
  static constexpr const char* kResources = "resources.json";
  static constexpr const char* kIntent = "update.json";

  /// linux.resources as `update` has left them, a document of its own; nothing before the first
  /// update. Saved like the record. Precondition of saving: locked.
  [[nodiscard]] Result<std::optional<std::string>> load_resources() const;
  [[nodiscard]] Status save_resources(std::string_view text) const;

  /// What an update is changing, a document likewise: there while it is at work, and after one that
  /// was killed. Precondition of all but loading: locked.
  [[nodiscard]] Result<std::optional<std::string>> load_intent() const;
  [[nodiscard]] Status save_intent(std::string_view text) const;
  [[nodiscard]] Status drop_intent() const;

  /// The ways between `start` and init, which waits for it.
  [[nodiscard]] Status make_fifo(Fifo fifo) const;
  [[nodiscard]] Result<UniqueFd> open_fifo(Fifo fifo, int flags) const;
  [[nodiscard]] Status remove_fifo(Fifo fifo) const;

  /// The directory with the socket of notify.h: all of the entry that the container ever sees. It
  /// can reach the socket, and neither list nor change the directory.
  [[nodiscard]] Status make_notify_directory() const;
  [[nodiscard]] Result<UniqueFd> open_notify_directory() const;

  /// The user whose container this is.
  [[nodiscard]] Result<uid_t> owner() const;

  /// Takes the directory away, with all that is in it. Precondition: locked.
  Status remove();

 private:
  [[nodiscard]] Result<bool> is_present() const;
  [[nodiscard]] Error interrupted() const;
  [[nodiscard]] Result<std::optional<std::string>> load_document(const char* name) const;
  [[nodiscard]] Status replace(const std::string& name, std::string_view text) const;

  int root_;  // borrowed from the Store
  std::string id_;
  std::string path_;
  UniqueFd directory_;
  UniqueFd lock_;
};

/// The state root. Must outlive its entries.
class Store {
 public:
  /// Opens ROOT. One that does not exist is an empty store. One that is a symbolic link, belongs to
  /// somebody else, or can be written by others is an error: who can write there can make us kill
  /// any process.
  static Result<Store> open(const std::string& root);
  /// Makes ROOT (0700) and its parents first.
  static Result<Store> make(const std::string& root);

  /// Makes the directory of a new container and locks it. "container with given ID already exists"
  /// when there is one.
  [[nodiscard]] Result<Entry> reserve(const std::string& id) const;

  /// The container `id`; nothing when there is none.
  [[nodiscard]] Result<std::optional<Entry>> find(const std::string& id) const;

  /// The container `id`, which must be there.
  [[nodiscard]] Result<Entry> require(const std::string& id) const;

  /// The container `id`, locked.
  [[nodiscard]] Result<std::optional<Entry>> find_locked(const std::string& id) const;

  /// The names of all containers, sorted.
  [[nodiscard]] Result<std::vector<std::string>> ids() const;

  /// Where compiled seccomp filters are kept. Its name is no container's.
  [[nodiscard]] std::string filter_cache() const { return path_ + "/~~filters"; }

  /// Finishes a removal of `id` that was interrupted, if there is one.
  [[nodiscard]] Status sweep(const std::string& id) const;

 private:
  Store(std::string path, UniqueFd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  UniqueFd directory_;  // empty: ROOT does not exist
};

}  // namespace rt::container
