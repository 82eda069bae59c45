#include "filestorage/read_magic.h"

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace zrs::filestorage {

absl::StatusOr<FirstBytes> ReadMagic(File& file) {
  char bytes[kMagicSize];
  const absl::StatusOr<size_t> size = file.ReadAt(0, absl::MakeSpan(bytes));
  if (!size.ok()) return size.status();
  return FirstBytes{*size, ParseMagic(absl::string_view(bytes, *size))};
}

}  // namespace zrs::filestorage
