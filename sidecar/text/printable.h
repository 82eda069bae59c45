// Text from elsewhere (a peer, a file, a path's name) made fit for a message (valid UTF-8), a log and a terminal:
// without what they would obey or not take, which is every control character (U+0000 to U+001F, U+007F to U+009F) and
// every byte that is not part of a well-formed character. Pure functions; any thread.
//
// Two ways, for a reason. What a peer said or a file holds is only read: there a '?' says enough, and the text never
// grows, so that a bound stays one. What a person wrote, in a configuration or as a path, is to be found again and
// mended: there the very bytes are shown.
#ifndef ZRS_SIDECAR_TEXT_PRINTABLE_H_
#define ZRS_SIDECAR_TEXT_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace zrs::text {

// `text` with a '?' for each control character and for each byte that is not UTF-8; at most `limit` bytes, cut between
// characters.
std::string Clean(absl::string_view text, size_t limit = absl::string_view::npos);

// Enough of a value to find it by, in bytes.
inline constexpr size_t kValueLimit = 120;

// `text` with control characters and bytes that are not UTF-8 as \n, \r, \t or \ooo (three octal digits for each byte),
// and a backslash before each backslash and quotation mark: one line, whatever is in it. Of a longer text than `limit`
// bytes those up to there, cut between characters, and "...".
std::string Escaped(absl::string_view text, size_t limit = kValueLimit);

// The same in double quotes.
std::string Quoted(absl::string_view text);

// The user of a transaction, for people: ZODB writes the path of a user's folder and a space first, also where there is
// no path.
absl::string_view ShownUser(absl::string_view user);

}  // namespace zrs::text

#endif  // ZRS_SIDECAR_TEXT_PRINTABLE_H_
