#include "filestorage/in_progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

std::string BytesBehindInProgress(uint64_t position, uint64_t length, uint64_t size) {
  const uint64_t room = size - std::min(size, position);
  if (length >= room || room - length <= kLengthSize) return "";
  return absl::StrCat("is marked as in progress, and ", room - length - kLengthSize, " bytes follow it");
}

}  // namespace zrs::filestorage
