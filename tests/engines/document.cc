#include "tests/engines/document.h"

#include <optional>
#include <span>

#include "runtime/base/text.h"

namespace rt::testing {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kFile = " file=";
constexpr std::string_view kAnything = "...";

bool is_prompt(std::string_view line) { return line.starts_with("# ") || line.starts_with("$ "); }

Status add_command(Block& block, std::string_view line, size_t number) {
  const bool root = line[0] == '#';
  if (!block.exchanges.empty() && root != block.root) {
    return Error(cat("line ", number, ": one shell has two users"));
  }
  block.root = root;
  block.exchanges.push_back({.line = number, .command = std::string(line.substr(2)), .output = {}});
  return ok();
}

Status add_to_session(Block& block, std::string_view line, size_t number) {
  if (!block.exchanges.empty() && block.exchanges.back().command.ends_with('\\')) {
    block.exchanges.back().command += cat('\n', line);
    return ok();
  }
  if (is_prompt(line)) return add_command(block, line, number);
  if (block.exchanges.empty()) return Error(cat("line ", number, ": output of no command"));
  block.exchanges.back().output += cat(line, '\n');
  return ok();
}

/// The block that this line opens, when it is one to be tried.
std::optional<Block> opened_by(std::string_view fence, size_t number) {
  const std::string_view info = fence.substr(kFence.size());
  const size_t file = info.find(kFile);
  if (file == std::string_view::npos && info != "console") return std::nullopt;
  Block block;
  block.line = number;
  if (file != std::string_view::npos) block.path = info.substr(file + kFile.size());
  return block;
}

/// Reads line by line; knows what it is in.
class Reader {
 public:
  Status take(std::string_view line) {
    ++number_;
    if (line.starts_with(kFence)) return fence(line);
    if (block_) return inside(line);
    if (!in_fence_ && line.starts_with("## ")) title_ = line.substr(3);
    return ok();
  }

  Result<std::vector<Section>> finish() && {
    if (in_fence_) return Error(cat("line ", number_, ": the last block has no end"));
    return std::move(sections_);
  }

 private:
  Status fence(std::string_view line) {
    in_fence_ = !in_fence_;
    if (in_fence_) {
      block_ = opened_by(line, number_);
      return ok();
    }
    if (!block_) return ok();
    if (sections_.empty() || sections_.back().title != title_) {
      sections_.push_back({.title = title_, .blocks = {}});
    }
    sections_.back().blocks.push_back(*std::move(block_));
    block_.reset();
    return ok();
  }

  Status inside(std::string_view line) {
    if (block_->path.empty()) return add_to_session(*block_, line, number_);
    block_->text += cat(line, '\n');
    return ok();
  }

  size_t number_ = 0;
  bool in_fence_ = false;
  std::string title_;
  std::optional<Block> block_;
  std::vector<Section> sections_;
};

bool line_matches(std::string_view expected, std::string_view line) {
  size_t end = expected.find(kAnything);
  if (end == std::string_view::npos) return expected == line;
  if (!line.starts_with(expected.substr(0, end))) return false;
  line.remove_prefix(end);
  while (true) {
    expected.remove_prefix(end + kAnything.size());
    end = expected.find(kAnything);
    if (end == std::string_view::npos) return line.ends_with(expected);
    const size_t found = line.find(expected.substr(0, end));
    if (found == std::string_view::npos) return false;
    line.remove_prefix(found + end);
  }
}

using Lines = std::span<const std::string_view>;

bool lines_match(Lines expected, Lines printed) {
  if (expected.empty()) return printed.empty();
  if (expected[0] == kAnything) {
    for (size_t skipped = 0; skipped <= printed.size(); ++skipped) {
      if (lines_match(expected.subspan(1), printed.subspan(skipped))) return true;
    }
    return false;
  }
  if (printed.empty() || !line_matches(expected[0], printed[0])) return false;
  return lines_match(expected.subspan(1), printed.subspan(1));
}

/// Without the empty ones at the end.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines = split(text, '\n');
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace

Result<std::vector<Section>> read_document(std::string_view text) {
  Reader reader;
  for (const std::string_view line : split(text, '\n')) {
    TRY(reader.take(line));
  }
  return std::move(reader).finish();
}

bool is_what_was_printed(std::string_view expected, std::string_view printed) {
  return lines_match(lines_of(expected), lines_of(printed));
}

}  // namespace rt::testing
