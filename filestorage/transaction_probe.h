// One transaction of a file, looked at by itself.
#ifndef ZRS_FILESTORAGE_TRANSACTION_PROBE_H_
#define ZRS_FILESTORAGE_TRANSACTION_PROBE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

struct ProbedTransaction {
  uint64_t begin = 0;
  uint64_t end = 0;  // just past its redundant length
  Tid tid = 0;
  std::string user = {};         // any bytes, at most 65535
  std::string description = {};  // the same
};

// The committed transaction that begins at `begin`, a boundary of the file: parsed as the scanner does, but for one of
// more than 64 MiB, of which the header and the redundant length alone are looked at. DataLoss, with position and
// reason, where there is none that is sound. Blocks; any other error is one of reading.
absl::StatusOr<ProbedTransaction> ProbeTransaction(ReadFunction read_at, uint64_t begin);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_TRANSACTION_PROBE_H_
