#include "runtime/kernel/console.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "runtime/kernel/in_root.h"
#include "runtime/sys/file.h"
#include "runtime/sys/mount.h"
#include "runtime/sys/process.h"
#include "runtime/sys/terminal.h"

namespace rt::kernel {
namespace {

Result<UniqueFd> open_master(int devpts) {
  UniqueFd master = TRY(sys::openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW), "ptmx");
  const struct stat info = TRY(sys::fstat(master.get()));
  const int64_t type = TRY(sys::filesystem_type(master.get()));
  if (type != DEVPTS_SUPER_MAGIC || !S_ISCHR(info.st_mode) || info.st_rdev != makedev(5, 2)) {
    return Error("ptmx is not the device c 5:2 of a devpts");
  }
  return master;
}

Status bind(const Console& console, int root) {
  const UniqueFd tree = TRY(sys::clone_tree(console.peer.get(), "", false));
  TRY(sys::mount_setattr(tree.get(), {.propagation = MS_PRIVATE}, false));
  const UniqueFd target = TRY(open_or_make(root, "/dev/console", Kind::kFile));
  return sys::attach_tree(tree.get(), target.get());
}

}  // namespace

Result<Console> open_console(const plan::ConsoleStep& step, int devpts) {
  Console console;
  console.master = TRY(open_master(devpts));
  TRY(sys::unlock_pty(console.master.get()));
  console.peer = TRY(sys::pty_peer(console.master.get()));
  if (step.height != 0 || step.width != 0) {
    TRY(sys::set_window_size(console.peer.get(), {.height = step.height, .width = step.width}));
  }
  return console;
}

Result<Console> open_console(const plan::ConsoleStep& step) {
  const UniqueFd root = TRY(sys::open("/", O_PATH | O_DIRECTORY));
  const UniqueFd devpts =
      TRY(sys::open_in_root(root.get(), "/dev/pts", O_PATH | O_DIRECTORY), "/dev/pts");
  return open_console(step, devpts.get());
}

Status bind_console(const Console& console, int root) {
  TRY(bind(console, root), "/dev/console");
  return ok();
}

Status use_console(const Console& console) {
  for (int fd = 0; fd <= 2; ++fd) TRY(sys::dup2(console.peer.get(), fd));
  return sys::set_controlling_terminal(0);
}

}  // namespace rt::kernel
