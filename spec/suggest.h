// "Did you mean": which known word an unknown one was probably meant to be.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace spec {

/// The word of `known` nearest to `word`, when one is near enough: the same but for case, a few
/// letters away, or one containing the other.
[[nodiscard]] std::optional<std::string_view> suggest(std::string_view word,
                                                      const std::vector<std::string_view>& known);

/// The same where words that are not known may well be right: only a word that is one slip away, or
/// in a word of up to three letters none but its case.
[[nodiscard]] std::optional<std::string_view> suggest_for_slip(
    std::string_view word, const std::vector<std::string_view>& known);

}  // namespace spec
