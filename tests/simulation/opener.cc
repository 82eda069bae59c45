#include "tests/simulation/opener.h"

#include "filestorage/boundary.h"
#include "filestorage/scanner.h"
#include "tests/support/read_index_model.h"

namespace zrs::simulation {
namespace {

uint64_t SoundEnd(absl::string_view contents) {
  const auto magic = filestorage::ParseMagic(contents);
  if (!magic.ok()) return 0;
  filestorage::Scanner scanner(*magic, filestorage::FirstBoundary(*magic));
  scanner.Feed(contents.substr(filestorage::kMagicSize));
  return scanner.last().offset;
}

}  // namespace

Opened OpenAsZodb(absl::string_view contents) {
  if (contents.empty()) return {};
  const tests::ReadIndexResult result = tests::ReadIndexModel(contents);
  if (!result.refused) return {.refused = false, .end = result.end, .last_tid = result.last_tid, .reason = ""};
  return {.refused = true, .end = SoundEnd(contents), .last_tid = 0, .reason = result.reason};
}

}  // namespace zrs::simulation
