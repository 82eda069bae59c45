// Scans bytes in every way that they can be cut into pieces of interest, and requires the same answer each time.
#ifndef ZRS_TESTS_FILESTORAGE_SCAN_HARNESS_H_
#define ZRS_TESTS_FILESTORAGE_SCAN_HARNESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/format.h"
#include "filestorage/scanner.h"

namespace zrs::filestorage {

// All that a scanner said about some bytes.
struct Observation {
  ScanResult result;  // of the last Feed
  Boundary last;
  uint64_t position = 0;
  bool inside_transaction = false;
  uint64_t transaction_end = 0;
  uint64_t transactions = 0;
  uint64_t decreasing_tids = 0;
  std::vector<ScannedTransaction> scanned;
  std::vector<uint64_t> record_positions;
  std::vector<DataHeader> records;
};

// Everything in it as text, to compare two of them.
std::string Describe(const Observation& observation);

// Feeds `bytes`, which follow `start`, in pieces that end at each of `cuts` (ascending positions within `bytes`). Fails
// the test where the answers with and without an observer of records differ.
Observation ScanInPieces(Magic magic, const Boundary& start, absl::string_view bytes, const std::vector<size_t>& cuts);

// Scans `file` (magic and transactions) whole; byte by byte; in two pieces, cut at every position (at about 600
// positions when there are more); and in many random pieces. Fails the test where one says something else than the
// whole did.
Observation ScanAllWays(absl::string_view file);

}  // namespace zrs::filestorage

#endif  // ZRS_TESTS_FILESTORAGE_SCAN_HARNESS_H_
