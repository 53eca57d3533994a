#include "tests/unit/container/temporary_directory.h"

#include <ftw.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/base/text.h"

namespace rt::testing {
namespace {

int remove_one(const char* path, const struct stat* /*info*/, int /*type*/, FTW* /*where*/) {
  return std::remove(path);
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  const char* base = std::getenv("TEST_TMPDIR");
  path_ = cat(base != nullptr ? base : "/tmp", "/store.XXXXXX");
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

TemporaryDirectory::~TemporaryDirectory() {
  constexpr int kDescriptors = 16;
  ::nftw(path_.c_str(), remove_one, kDescriptors, FTW_DEPTH | FTW_PHYS);
}

std::string TemporaryDirectory::operator/(std::string_view name) const {
  return cat(path_, '/', name);
}

}  // namespace rt::testing
