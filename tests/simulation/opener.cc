#include "tests/simulation/opener.h"

#include "filestorage/boundary.h"
#include "filestorage/in_progress.h"
#include "filestorage/scanner.h"
#include "tests/support/read_index_model.h"

namespace zrs::simulation {
namespace {

struct Scanned {
  uint64_t sound_end = 0;
  bool ends_unsound = true;
};

Scanned Scan(absl::string_view contents) {
  const auto magic = filestorage::ParseMagic(contents);
  if (!magic.ok()) return {};
  filestorage::Scanner scanner(*magic, filestorage::FirstBoundary(*magic));
  const filestorage::ScanResult result = scanner.Feed(contents.substr(filestorage::kMagicSize));
  const uint64_t end = scanner.last().offset;
  if (result.outcome != filestorage::ScanOutcome::kInProgress) {
    return {end, result.outcome == filestorage::ScanOutcome::kCorrupt};
  }
  const uint64_t length = filestorage::DecodeTransactionHeader(contents.substr(end)).length;
  return {end, !filestorage::BytesBehindInProgress(end, length, contents.size()).empty()};
}

}  // namespace

Opened OpenAsZodb(absl::string_view contents) {
  if (contents.empty()) return {};
  const tests::ReadIndexResult result = tests::ReadIndexModel(contents);
  if (!result.refused) return {.refused = false, .end = result.end, .last_tid = result.last_tid, .reason = ""};
  return {.refused = true, .end = Scan(contents).sound_end, .last_tid = 0, .reason = result.reason};
}

bool EndsUnsound(absl::string_view contents) { return !contents.empty() && Scan(contents).ends_unsound; }

}  // namespace zrs::simulation
