#include "spec/suggest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace spec {
namespace {

constexpr size_t kLongestWord = 64;  // a longer one is no misspelling of a key

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// How many letters must be inserted, removed, replaced, or swapped with their neighbour, case
/// aside (optimal string alignment): a swap is the commonest slip of all.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    std::vector<size_t> row(b.size() + 1);
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = last[j] + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      row[j + 1] = std::min({replaced, row[j] + 1, last[j + 1] + 1});
      const bool swapped =
          i > 0 && j > 0 && lower(a[i]) == lower(b[j - 1]) && lower(a[i - 1]) == lower(b[j]);
      if (swapped) row[j + 1] = std::min(row[j + 1], before_last[j - 1] + 1);
    }
    before_last = std::exchange(last, std::move(row));
  }
  return last.back();
}

bool one_contains_the_other(std::string_view a, std::string_view b) {
  const std::string_view shorter = a.size() < b.size() ? a : b;
  const std::string_view longer = a.size() < b.size() ? b : a;
  if (shorter.size() < 4) return false;
  const auto same = [](char x, char y) { return lower(x) == lower(y); };
  return std::search(longer.begin(), longer.end(), shorter.begin(), shorter.end(), same) !=
         longer.end();
}

/// The nearest of those that are at most `furthest` away.
std::optional<std::string_view> nearest_within(size_t furthest, std::string_view word,
                                               const std::vector<std::string_view>& known) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string_view> nearest;
  size_t shortest = furthest + 1;
  for (const std::string_view candidate : known) {
    // Each letter more or less is a slip: most candidates need no closer look.
    const size_t longer = std::max(word.size(), candidate.size());
    const size_t shorter = std::min(word.size(), candidate.size());
    if (longer - shorter >= shortest) continue;
    const size_t distance = edit_distance(word, candidate);
    if (distance >= shortest) continue;
    nearest = candidate;
    shortest = distance;
  }
  return nearest;
}

}  // namespace

std::optional<std::string_view> suggest(std::string_view word,
                                        const std::vector<std::string_view>& known) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  const auto nearest = nearest_within(std::clamp<size_t>(word.size() / 3, 1, 3), word, known);
  if (nearest) return nearest;
  const auto containing = std::find_if(known.begin(), known.end(), [&](std::string_view candidate) {
    return one_contains_the_other(word, candidate);
  });
  if (containing == known.end()) return std::nullopt;
  return *containing;
}

std::optional<std::string_view> suggest_for_slip(std::string_view word,
                                                 const std::vector<std::string_view>& known) {
  return nearest_within(word.size() > 3 ? 1 : 0, word, known);
}

}  // namespace spec
