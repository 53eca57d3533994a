// Compiled filters, kept from one container to the next. A file holds a header, the whole key and
// the program: an entry that was cut off, altered or made of something else is no entry.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/base/rollback.h"
#include "runtime/kernel/seccomp.h"
#include "runtime/sys/file.h"
#include "runtime/sys/process.h"

namespace rt::kernel {
namespace {

using Program = std::vector<sock_filter>;

constexpr size_t kFileLimit = size_t{4} << 20;
constexpr mode_t kOthers = 077;

struct Header {
  std::array<char, 8> magic{};
  uint64_t key_size = 0;
  uint64_t instructions = 0;
  uint64_t checksum = 0;  // of all that follows
};
constexpr std::array<char, 8> kMagic = {'s', 'e', 'c', 'c', 'o', 'm', 'p', '1'};

/// FNV-1a. Neither a name nor a checksum has to withstand an enemy: who can write to the directory
/// can replace the program, and two keys of one name are told apart by the key in the file.
uint64_t hash(std::string_view bytes) {
  uint64_t value = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    value ^= static_cast<unsigned char>(byte);
    value *= 0x100000001b3;
  }
  return value;
}

std::string name_of(const std::string& key) { return to_digits(hash(key), 16); }

std::string_view bytes_of(const Program& program) {
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

std::string entry_of(const std::string& key, const Program& program) {
  const std::string body = cat(key, bytes_of(program));
  const Header header = {.magic = kMagic,
                         .key_size = key.size(),
                         .instructions = program.size(),
                         .checksum = hash(body)};
  return cat(std::string_view(reinterpret_cast<const char*>(&header), sizeof header), body);
}

/// The program of an entry for `key`; empty when it is none.
Program program_of(std::string_view entry, std::string_view key) {
  Header header;
  if (entry.size() < sizeof header) return {};
  std::memcpy(&header, entry.data(), sizeof header);
  const std::string_view body = entry.substr(sizeof header);
  const bool fits = header.magic == kMagic && header.key_size == key.size() &&
                    header.instructions > 0 && header.instructions <= BPF_MAXINSNS &&
                    body.size() == key.size() + header.instructions * sizeof(sock_filter);
  if (!fits || !body.starts_with(key) || hash(body) != header.checksum) return {};
  Program program(header.instructions);
  std::memcpy(program.data(), body.data() + key.size(), program.size() * sizeof(sock_filter));
  return program;
}

/// Of the type, ours, and nobody else's to write.
bool is_trusted(const struct stat& info, mode_t type) {
  return (info.st_mode & S_IFMT) == type && info.st_uid == sys::geteuid() &&
         (info.st_mode & kOthers) == 0;
}

Result<UniqueFd> open_directory(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  Result<UniqueFd> opened = sys::open(path, kFlags);
  if (!opened && opened.error().code() == ENOENT) {
    const Status made = sys::mkdir(path, 0700);
    if (!made && made.error().code() != EEXIST) return made.error();
    opened = sys::open(path, kFlags);
  }
  UniqueFd directory = TRY(std::move(opened));
  const struct stat info = TRY(sys::fstat(directory.get()));
  if (!is_trusted(info, S_IFDIR)) return Error(cat(quoted(path), ": not this user's alone"));
  return directory;
}

Result<std::string> read_entry(int directory, const std::string& name) {
  // Not blocking: what lies there might be a fifo.
  const UniqueFd file = TRY(sys::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const struct stat info = TRY(sys::fstat(file.get()));
  if (!is_trusted(info, S_IFREG)) return Error("not this user's alone");
  return sys::read_all(file.get(), kFileLimit);
}

}  // namespace

FilterCache::FilterCache(const std::string& directory) {
  if (directory.empty()) return;
  Result<UniqueFd> opened = open_directory(directory);
  if (opened) directory_ = std::move(opened).value();
}

Program FilterCache::load(const std::string& key) const {
  if (!directory_) return {};
  const Result<std::string> entry = read_entry(directory_.get(), name_of(key));
  return entry ? program_of(entry.value(), key) : Program();
}

void FilterCache::store(const std::string& key, const Program& program) const {
  if (!directory_ || program.empty()) return;
  static_cast<void>(try_store(key, program));
}

/// By rename(2): a reader sees the old entry or the new one, and of several writers one is last.
Status FilterCache::try_store(const std::string& key, const Program& program) const {
  const int directory = directory_.get();
  const std::string name = name_of(key);
  const std::string temporary = cat("new-", sys::getpid());
  // Left by a process of this number that was killed.
  static_cast<void>(sys::unlinkat(directory, temporary, 0));
  const UniqueFd file =
      TRY(sys::openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  Rollback undo;
  undo.add([&] { static_cast<void>(sys::unlinkat(directory, temporary, 0)); });
  TRY(sys::write_all(file.get(), entry_of(key, program)));
  TRY(sys::renameat(directory, temporary, directory, name));
  undo.commit();
  return drop_oldest();
}

Status FilterCache::drop_oldest() const {
  using Aged = std::pair<std::pair<int64_t, int64_t>, std::string>;
  const std::vector<std::string> names = TRY(sys::list_directory(directory_.get()));
  if (names.size() <= kEntries) return ok();
  std::vector<Aged> entries;
  for (const std::string& name : names) {
    // One that is gone meanwhile was dropped by somebody else.
    const Result<struct stat> info = sys::fstatat(directory_.get(), name, AT_SYMLINK_NOFOLLOW);
    if (!info) continue;
    const timespec& time = info.value().st_mtim;
    entries.push_back({{time.tv_sec, time.tv_nsec}, name});
  }
  std::ranges::sort(entries);
  for (size_t i = 0; i + kEntries < entries.size(); ++i) {
    static_cast<void>(sys::unlinkat(directory_.get(), entries[i].second, 0));
  }
  return ok();
}

}  // namespace rt::kernel
