#include "runtime/container/criu_streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "runtime/kernel/mountinfo.h"
#include "runtime/sys/file.h"
#include "spec/json.h"
#include "spec/json_writer.h"

namespace rt::container {
namespace {

constexpr const char* kNamesFile = "descriptors.json";
constexpr const char* kRestFile = "runtime.json";
constexpr const char* kStreamModes = "streamModes";
constexpr const char* kNoNewPrivileges = "noNewPrivileges";
constexpr size_t kLongestFile = 65536;
constexpr size_t kLongestStatus = 65536;

Status save(int images, const char* name, std::string_view text) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
  const UniqueFd file = TRY(sys::openat(images, name, kFlags, 0600), name);
  TRY(sys::write_all(file.get(), text), name);
  return ok();
}

/// Nothing when there is no such file.
Result<std::optional<std::string>> load(int images, const char* name) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
  Result<UniqueFd> file = sys::openat(images, name, kFlags);
  if (!file && file.error().code() == ENOENT) return std::optional<std::string>();
  const UniqueFd opened = TRY(std::move(file), name);
  std::string text = TRY(sys::read_all(opened.get(), kLongestFile), name);
  return std::optional<std::string>(std::move(text));
}

Status load_names(int images, StandardStreams& streams) {
  const std::optional<std::string> text = TRY(load(images, kNamesFile));
  if (!text) {
    return Error::from_errno("open", ENOENT)
        .within(kNamesFile)
        .with_hint("there is no checkpoint, or one that failed");
  }
  std::vector<std::string> names;
  spec::Document document(*text);
  spec::read(document.root(), names);
  if (document.has_errors()) {
    return spec::first_error(document.take_diagnostics()).within(kNamesFile);
  }
  for (size_t fd = 0; fd < std::min(names.size(), streams.size()); ++fd) {
    // Others' names for what is the container's own are of no use.
    const bool foreign = names[fd].starts_with("pipe:[") || names[fd].starts_with("file[");
    if (foreign) streams[fd].name = std::move(names[fd]);
  }
  return ok();
}

/// An image of another runtime's has none of it.
Status load_rest(int images, ImageFacts& facts) {
  const std::optional<std::string> text = TRY(load(images, kRestFile));
  if (!text) return ok();
  std::vector<uint32_t> modes;
  spec::Document document(*text);
  const auto no_new_privileges = document.root().find(kNoNewPrivileges);
  if (no_new_privileges) spec::read(*no_new_privileges, facts.no_new_privileges);
  const auto stream_modes = document.root().find(kStreamModes);
  if (stream_modes) spec::read(*stream_modes, modes);
  if (document.has_errors()) {
    return spec::first_error(document.take_diagnostics()).within(kRestFile);
  }
  for (size_t fd = 0; fd < std::min(modes.size(), facts.streams.size()); ++fd) {
    facts.streams[fd].mode = modes[fd];
  }
  return ok();
}

Result<UniqueFd> open_null() {
  const UniqueFd null = TRY(sys::open("/dev/null", O_RDWR), "/dev/null");
  return sys::duplicate(null.get());
}

/// The number behind `name` in a file of /proc of the form "name:\tNUMBER"; nothing when the
/// process is gone.
std::optional<uint64_t> read_number(const std::string& path, std::string_view name, int base) {
  const Result<std::string> text = sys::read_file(path, kLongestStatus);
  if (!text) return std::nullopt;
  for (const std::string_view line : split(text.value(), '\n')) {
    if (!line.starts_with(name)) continue;
    const std::string_view number = line.substr(name.size());
    uint64_t value = 0;
    const char* end = number.data() + number.size();
    if (std::from_chars(number.data(), end, value, base).ptr == end) return value;
  }
  return std::nullopt;
}

/// How descriptor `fd` of the process is opened: O_RDONLY, O_WRONLY or O_RDWR.
std::optional<uint64_t> access_of(pid_t pid, const std::string& fd) {
  constexpr int kOctal = 8;
  const auto flags = read_number(cat("/proc/", pid, "/fdinfo/", fd), "flags:\t", kOctal);
  return flags ? std::optional(*flags & O_ACCMODE) : std::nullopt;
}

/// Whether the process has `pipe` open otherwise than `access`.
bool has_other_end(pid_t pid, const std::string& pipe, uint64_t access) {
  const std::string directory = cat("/proc/", pid, "/fd");
  const auto fds = sys::list_directory(directory);
  return fds && std::ranges::any_of(fds.value(), [&](const std::string& fd) {
           const Result<std::string> shown = sys::readlinkat(AT_FDCWD, cat(directory, '/', fd));
           if (!shown || shown.value() != pipe) return false;
           const std::optional<uint64_t> other = access_of(pid, fd);
           return other && *other != access;
         });
}

Result<StandardStream> look_at_stream(pid_t init, int fd, const std::vector<pid_t>& processes,
                                      const std::vector<kernel::MountInfo>& inside) {
  const std::string path = cat("/proc/", init, "/fd/", fd);
  Result<std::string> shown = sys::readlinkat(AT_FDCWD, path);
  if (!shown && shown.error().code() == ENOENT) return StandardStream();  // it is closed
  if (!shown) return std::move(shown).error();
  if (shown.value().starts_with("pipe:[")) {
    const uint64_t access = access_of(init, std::to_string(fd)).value_or(O_RDWR);
    const bool internal = std::ranges::any_of(
        processes, [&](pid_t pid) { return has_other_end(pid, shown.value(), access); });
    return internal ? StandardStream() : StandardStream{.name = shown.value()};
  }
  const UniqueFd file = TRY(sys::open(path, O_PATH));
  const uint64_t mount = TRY(sys::mount_id(file.get()));
  const struct stat info = TRY(sys::fstat(file.get()));
  if (S_ISSOCK(info.st_mode) ||
      std::ranges::find(inside, mount, &kernel::MountInfo::id) != inside.end()) {
    return StandardStream();
  }
  constexpr int kHex = 16;
  StandardStream stream;
  stream.mode = info.st_mode;
  stream.name = cat("file[", to_digits(mount, kHex), ':', to_digits(info.st_ino, kHex), ']');
  return stream;
}

}  // namespace

Result<StandardStreams> look_at_streams(pid_t init, const std::vector<pid_t>& processes) {
  const std::vector<kernel::MountInfo> inside = TRY(kernel::read_mountinfo(std::to_string(init)));
  StandardStreams streams;
  for (size_t fd = 0; fd < streams.size(); ++fd) {
    streams[fd] =
        TRY(look_at_stream(init, static_cast<int>(fd), processes, inside), "descriptor ", fd);
  }
  return streams;
}

NoNewPrivileges count_no_new_privileges(const std::vector<pid_t>& processes) {
  constexpr int kDecimal = 10;
  NoNewPrivileges count;
  for (const pid_t pid : processes) {
    const auto value = read_number(cat("/proc/", pid, "/status"), "NoNewPrivs:\t", kDecimal);
    if (value) ++(*value == 1 ? count.set : count.unset);
  }
  return count;
}

Status save_facts(int images, const ImageFacts& facts) {
  spec::JsonWriter names;
  spec::JsonWriter rest;
  names.begin_array();
  rest.begin_object().key(kNoNewPrivileges).value(facts.no_new_privileges);
  rest.key(kStreamModes).begin_array();
  for (const StandardStream& stream : facts.streams) {
    names.value(stream.name);
    rest.value(stream.mode);
  }
  names.end_array();
  rest.end_array().end_object();
  TRY(save(images, kNamesFile, names.text()));
  return save(images, kRestFile, rest.text());
}

Result<ImageFacts> load_facts(int images) {
  ImageFacts facts;
  TRY(load_names(images, facts.streams));
  TRY(load_rest(images, facts));
  return facts;
}

Result<UniqueFd> stream_for(int fd, const StandardStream& saved) {
  const Result<struct stat> info = sys::fstat(fd);
  const mode_t mode = info ? info.value().st_mode : 0;
  if (S_ISREG(saved.mode) && mode != saved.mode) {
    constexpr int kOctal = 8;
    return Error(cat("descriptor ", fd, " was a regular file of mode 0",
                     to_digits(saved.mode & 07777, kOctal), " when it was saved"))
        .with_hint("it must be one again: CRIU takes nothing else in its place");
  }
  // It sets the position, which a pipe or a terminal has not.
  const bool is_null = info && S_ISCHR(mode) && info.value().st_rdev == makedev(1, 3);
  if (S_ISCHR(saved.mode) && !is_null && !S_ISREG(mode)) return open_null();
  return sys::duplicate(fd);
}

}  // namespace rt::container
