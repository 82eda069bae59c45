// Looks for the positions that followers name, at a price that a storage can afford whoever asks.
#ifndef ZRS_SIDECAR_STORAGE_PUBLISHER_POSITION_PROBES_H_
#define ZRS_SIDECAR_STORAGE_PUBLISHER_POSITION_PROBES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "sidecar/replication/known_followers.h"
#include "sidecar/runtime/byte_rate.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/committed_bytes.h"

namespace zrs::storage {

// Everything on the strand. A follower's last transaction may be of any size, and a peer may come again at once. So one
// slice of one probe is read at a time, in turns: commits, and positions that are found soon, wait for no more than a
// slice of each. All that is read passes a rate, beyond a burst that is enough for all followers to come back at once.
// Who asks for the same position shares its probe, and a long one that was found is remembered.
class PositionProbes : public std::enable_shared_from_this<PositionProbes> {
 public:
  static constexpr uint64_t kSlice = 1 << 20;
  static constexpr uint64_t kBurst = 256 << 20;

  struct Asker {
    std::function<bool()> wanted;  // asked before each slice: false gives up, unanswered
    absl::AnyInvocable<void(absl::StatusOr<bool>)> done;
  };
  // `rate`: bytes per second; 0: no bound. References outlive what is asked here.
  PositionProbes(runtime::Runtime& runtime, CommittedBytes& bytes, uint64_t rate, uint64_t burst = kBurst);

  // Whether the committed bytes have this boundary.
  void Find(const filestorage::Boundary& boundary, Asker asker);
  // Whether the file that this position is in had it: by what is remembered, or by the old file, where it can be read.
  void FindOld(const replication::OldPosition& position, Asker asker);
  size_t waiting() const { return waiting_.size(); }
  // Another file is served from now on, or none.
  void Forget();

 private:
  struct Probe;
  void Add(std::shared_ptr<Probe> probe);
  void DropUnwanted();
  void Next();
  void ReadSlice(std::shared_ptr<Probe> probe);
  void OnSlice(std::shared_ptr<Probe> probe);
  void Answer(Probe& probe, const absl::StatusOr<bool>& answer);

  runtime::Runtime& runtime_;
  CommittedBytes& bytes_;
  runtime::ByteRate rate_;
  std::deque<std::shared_ptr<Probe>> waiting_;
  std::shared_ptr<Probe> reading_;  // on the I/O thread
  std::unique_ptr<runtime::Timer> timer_;
  std::deque<filestorage::Boundary> found_;  // long ones, of the present file
  uint64_t file_ = 0;                        // which one that is
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_PUBLISHER_POSITION_PROBES_H_
