#include "filestorage/format.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace zrs::filestorage {

absl::string_view MagicBytes(Magic magic) { return magic == Magic::kFs21 ? "FS21" : "FS30"; }

absl::StatusOr<Magic> ParseMagic(absl::string_view bytes) {
  const absl::string_view found = bytes.substr(0, kMagicSize);
  for (const Magic magic : {Magic::kFs21, Magic::kFs30}) {
    if (found == MagicBytes(magic)) return magic;
  }
  return absl::DataLossError(absl::StrCat("not a FileStorage: it begins with '", absl::CHexEscape(found),
                                          "' instead of 'FS21' or 'FS30'; check the path"));
}

std::string EncodeUint64(uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
  return out;
}

std::string TidHex(Tid tid) { return absl::StrCat(absl::Hex(tid, absl::kZeroPad16)); }

}  // namespace zrs::filestorage
