// reference man DIRECTORY | bash | zsh | fish
#include <cstdio>
#include <string>
#include <string_view>

#include "runtime/base/text.h"
#include "tools/reference/reference.h"

namespace {

bool write_file(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && written;
}

int write_pages(const std::string& directory) {
  for (const auto& [name, text] : rt::reference::man_pages()) {
    const std::string path = rt::cat(directory, '/', name);
    if (write_file(path, text)) continue;
    std::perror(path.c_str());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "man" && argc == 3) return write_pages(argv[2]);
  std::string text;
  if (what == "bash") text = rt::reference::bash_completion();
  if (what == "zsh") text = rt::reference::zsh_completion();
  if (what == "fish") text = rt::reference::fish_completion();
  if (text.empty() || argc != 2) {
    std::fputs("usage: reference man DIRECTORY | bash | zsh | fish\n", stderr);
    return 2;
  }
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
