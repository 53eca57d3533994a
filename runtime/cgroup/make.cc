// Making and entering the container's cgroup.
#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/cgroup/controllers.h"
#include "runtime/cgroup/directory.h"
#include "runtime/cgroup/freezer.h"
#include "runtime/cgroup/owner.h"
#include "runtime/cgroup/scope.h"
#include "runtime/cgroup/scope_limits.h"
#include "runtime/sys/file.h"

namespace rt::cgroup {
namespace {

using std::chrono::milliseconds;

/// The names on the way from the hierarchy to the directory.
Result<std::vector<std::string>> names_below(const plan::CgroupDirectory& directory) {
  std::vector<std::string> names;
  if (directory.path == directory.hierarchy) return names;
  if (!directory.path.starts_with(cat(directory.hierarchy, '/'))) {
    return Error(cat("not below its hierarchy ", quoted(directory.hierarchy)));
  }
  const std::string_view below =
      std::string_view(directory.path).substr(directory.hierarchy.size());
  for (const std::string_view name : split(below.substr(1), '/')) {
    if (name.empty() || name == "." || name == "..") return Error("not a canonical path");
    names.emplace_back(name);
  }
  return names;
}

/// v1: a cpuset without cpus and mems takes no process, and a new one has none.
Status fill_cpuset(int directory, int parent) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    const std::optional<std::string> own = TRY(read_control(directory, file));
    if (!own || !own->empty()) continue;
    const std::optional<std::string> wanted = TRY(read_control(parent, file));
    if (wanted && !wanted->empty()) TRY(write_control(directory, file, *wanted), file);
  }
  return ok();
}

struct Opened {
  UniqueFd fd;
  bool made = false;
};

/// Makes `name` unless it is there. ENOENT when `parent` was removed meanwhile.
Result<Opened> make_or_open(int parent, const std::string& name) {
  const Status made = sys::mkdirat(parent, name, 0755);
  if (!made && made.error().code() != EEXIST) return made.error();
  Opened opened;
  opened.fd = TRY(sys::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  opened.made = made.ok();
  return opened;
}

/// One directory of the plan on its way into being.
struct Way {
  UniqueFd leaf;
  std::vector<Directory> made;  // the leaf, always, then the parents made for it, innermost first
};

/// The controllers that are to be switched on below a directory that has `available`. In what
/// systemd manages only those that are needed.
std::vector<std::string> wanted_controllers(std::vector<std::string> available,
                                            const plan::CgroupDirectory& directory,
                                            bool by_systemd) {
  if (!by_systemd) return available;
  std::erase_if(available, [&](const std::string& name) {
    return std::ranges::find(directory.needs, name, &plan::ControllerNeed::name) ==
           directory.needs.end();
  });
  return available;
}

/// Goes down from the hierarchy, making what is missing. What it made is in `way` on failure too.
Status make_way(const plan::CgroupDirectory& directory, const std::vector<std::string>& names,
                bool by_systemd, Way& way) {
  way.leaf = TRY(sys::open(directory.hierarchy, O_RDONLY | O_DIRECTORY));
  TRY(check_filesystem(way.leaf.get(), directory.unified));
  std::vector<std::string> controllers;
  if (directory.unified) controllers = TRY(read_controllers(way.leaf.get()));
  std::string path = directory.hierarchy;
  for (const std::string& name : names) {
    if (directory.unified) {
      controllers = wanted_controllers(std::move(controllers), directory, by_systemd);
      controllers = TRY(enable_controllers(way.leaf.get(), path, directory.needs, controllers));
    }
    Opened next = TRY(make_or_open(way.leaf.get(), name));
    path += cat('/', name);
    if (next.made) {
      const Directory parent{
          .path = path, .unified = directory.unified, .made = true, .leaf = false};
      way.made.insert(way.made.begin(), parent);
    }
    if (directory.cpuset) TRY(fill_cpuset(next.fd.get(), way.leaf.get()));
    way.leaf = std::move(next.fd);
  }
  if (way.made.empty() || way.made.front().path != directory.path) {
    const Directory leaf{.path = directory.path, .unified = directory.unified};
    way.made.insert(way.made.begin(), leaf);
  }
  way.made.front().leaf = true;
  if (by_systemd) {
    way.made.front().made = true;
    way.made.front().scope = directory.unified;
  }
  return ok();
}

Status check_empty(int directory) {
  const std::vector<pid_t> pids = TRY(read_pids(directory));
  if (pids.empty()) return ok();
  return Error(cat("container's cgroup is not empty: ", pids.size(), " process(es) found"));
}

/// A cgroup in which others live, or in which nothing can run, is not ours to use.
Status check_usable(const Way& way) {
  const Directory& leaf = way.made.front();
  if (!leaf.made) TRY(check_empty(way.leaf.get()));
  if (TRY(is_frozen(way.leaf.get(), leaf.unified))) {
    return Error("container's cgroup unexpectedly frozen");
  }
  return ok();
}

/// The whole of a directory: made, found usable, given to its owner.
Status make_ready(const plan::CgroupStep& step, const plan::CgroupDirectory& directory,
                  const std::vector<std::string>& names, Way& way) {
  TRY(make_way(directory, names, step.scope.has_value(), way));
  TRY(check_usable(way));
  if (!step.owner || !directory.unified) return ok();
  return at(step.owner_origin, hand_over(way.leaf.get(), *step.owner));
}

Result<std::vector<Directory>> make_one(const plan::CgroupStep& step,
                                        const plan::CgroupDirectory& directory) {
  const std::vector<std::string> names = TRY(names_below(directory));
  // Another container's delete may take away the empty parents that we have just walked through.
  static constexpr int kTries = 16;
  for (int tries = 1;; ++tries) {
    Way way;
    Rollback undo;
    undo.add([&] { static_cast<void>(remove(way.made, milliseconds(0))); });
    Status made = make_ready(step, directory, names, way);
    if (made) {
      undo.commit();
      return std::move(way.made);
    }
    const bool raced = made.error().code() == ENOENT && way.leaf && tries < kTries;
    if (!raced) return std::move(made).error();
  }
}

/// Whether the container can do without the directory: nobody asked for it, nor for a limit.
bool can_be_left_out(const plan::CgroupStep& step, const plan::CgroupDirectory& directory,
                     const Error& error) {
  if (!step.optional || !directory.needs.empty()) return false;
  const int code = error.code();
  return code == EACCES || code == EPERM || code == EROFS || code == ENOENT;
}

Error explain(Error error, const plan::CgroupDirectory& directory) {
  constexpr const char* kNotDelegated = "the cgroup above it is not delegated to this user";
  switch (error.code()) {
    case EROFS:
      return std::move(error).with_hint(
          "the cgroup file system is mounted read-only; with --cgroup-manager=disabled the "
          "container stays in the runtime's own cgroup");
    case EACCES:
    case EPERM:
      if (directory.needs.empty()) return std::move(error).with_hint(kNotDelegated);
      // A limit is what cannot be had: the container could do without a cgroup.
      return std::move(error)
          .with_hint("controller ", quoted(directory.needs.front().name), " is asked for, and ",
                     kNotDelegated, "; ", delegation(directory.path, directory.needs.front().name))
          .at(directory.needs.front().origin);
    default:
      return error;
  }
}

Result<bool> exists(const std::string& path) {
  const std::optional<UniqueFd> found = TRY(sys::open_if_exists(path, O_PATH | O_NOFOLLOW));
  return found.has_value();
}

/// What systemd finds in the way it would put up with, or not say why.
Result<UniqueFd> make_scope(const plan::CgroupStep& step) {
  for (const plan::CgroupDirectory& directory : step.directories) {
    const std::optional<UniqueFd> found =
        TRY(open_directory({.path = directory.path, .unified = directory.unified}));
    if (found) TRY(check_empty(found->get()), "cgroup ", quoted(directory.path));
  }
  return start_scope(*step.scope);
}

/// A thread may move itself ("0") while others fork. Before anybody is moved by pid, or through
/// cgroup.procs, the kernel waits for all CPUs: 10 ms and more. Linux 5.5.
Status enter_one(const Directory& directory) {
  const UniqueFd file = TRY(sys::open(cat(directory.path, "/tasks"), O_WRONLY | O_NOFOLLOW));
  TRY(check_filesystem(file.get(), directory.unified));
  return sys::write_once(file.get(), "0");
}

}  // namespace

Result<std::vector<Directory>> announce(const plan::CgroupStep& step) {
  std::vector<Directory> announced;
  for (const plan::CgroupDirectory& directory : step.directories) {
    TRY(names_below(directory), "cgroup ", quoted(directory.path));
    std::string path = directory.path;
    while (path.size() > directory.hierarchy.size()) {
      if (TRY(exists(path), "cgroup ", quoted(path))) break;
      announced.push_back({.path = path,
                           .unified = directory.unified,
                           .made = true,
                           .leaf = false,
                           .scope = step.scope && directory.unified});
      if (step.scope) break;  // slices are systemd's
      path.resize(path.rfind('/'));
    }
  }
  return announced;
}

Result<Made> make(const plan::CgroupStep& step) {
  Made all;
  std::vector<Directory>& directories = all.directories;
  Rollback undo;
  undo.add([&] {
    all.holder.reset();
    static_cast<void>(remove(directories, milliseconds(100)));
  });
  if (step.scope) all.holder = TRY(at(step.origin, make_scope(step)));
  for (const plan::CgroupDirectory& directory : step.directories) {
    Result<std::vector<Directory>> made = make_one(step, directory);
    if (!made && can_be_left_out(step, directory, made.error())) continue;
    if (!made) {
      return explain(std::move(made).error(), directory)
          .within("cgroup ", quoted(directory.path))
          .at(step.origin);
    }
    for (Directory& one : made.value()) directories.push_back(std::move(one));
  }
  if (step.scope) TRY(at(step.origin, lift_limits(*step.scope, directories)));
  undo.commit();
  return all;
}

Result<UniqueFd> open_unified(const std::vector<Directory>& directories) {
  for (const Directory& directory : directories) {
    if (!directory.leaf || !directory.unified) continue;
    std::optional<UniqueFd> opened = TRY(open_directory(directory));
    if (opened) return *std::move(opened);
    return Error::from_errno("open", ENOENT).within("cgroup ", quoted(directory.path));
  }
  return UniqueFd();
}

Status enter(const std::vector<Directory>& directories) {
  for (const Directory& directory : directories) {
    if (!directory.leaf || directory.unified) continue;
    TRY(enter_one(directory), "cgroup ", quoted(directory.path));
  }
  return ok();
}

}  // namespace rt::cgroup
