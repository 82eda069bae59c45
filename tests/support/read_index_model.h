// What ZODB's FileStorage makes of a file that it opens for reading without an index: a model of its read_index
// (ZODB 6, ZODB/FileStorage/FileStorage.py), quirks included.
#ifndef ZRS_TESTS_SUPPORT_READ_INDEX_MODEL_H_
#define ZRS_TESTS_SUPPORT_READ_INDEX_MODEL_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"

namespace zrs::tests {

struct ReadIndexResult {
  bool refused = false;           // the open raises
  std::string reason;             // why
  uint64_t end = 0;               // where it takes the committed end to be
  filestorage::Tid last_tid = 0;  // lastTransaction(); also that of a transaction it does not take
};

// `file`: the whole file.
ReadIndexResult ReadIndexModel(absl::string_view file);

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_READ_INDEX_MODEL_H_
