#include "sidecar/storage/range_digest.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace zrs::storage {
namespace {

constexpr uint64_t kReadSize = 256 << 10;

class RangeDigester : public std::enable_shared_from_this<RangeDigester> {
 public:
  RangeDigester(runtime::Runtime& runtime, RangeToDigest range,
                absl::AnyInvocable<void(absl::StatusOr<filestorage::Digest>)> done)
      : runtime_(runtime), range_(std::move(range)), done_(std::move(done)), position_(range_.begin) {}

  void Next() {
    if (!range_.wanted()) return done_(absl::CancelledError("nobody wants the digest any more"));
    if (position_ == range_.end) return done_(digester_.Finish());
    runtime_.PostIo([self = shared_from_this()] {
      absl::Status read = self->ReadSlice();
      self->runtime_.Post([self, read = std::move(read)] { read.ok() ? self->Next() : self->done_(read); });
    });
  }

 private:
  absl::Status ReadSlice() {
    std::vector<char> buffer(static_cast<size_t>(std::min(kReadSize, range_.end - position_)));
    const uint64_t end = position_ + std::min(range_.slice, range_.end - position_);
    while (position_ < end) {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - position_));
      const absl::StatusOr<size_t> read = range_.read(position_, absl::MakeSpan(buffer).subspan(0, wanted));
      if (!read.ok()) return read.status();
      if (*read == 0) {
        return absl::DataLossError(absl::StrCat("taking the digest of ", range_.begin, " to ", range_.end,
                                                ": the committed bytes end at ", position_));
      }
      const absl::string_view bytes(buffer.data(), *read);
      digester_.Update(bytes);
      if (range_.also) range_.also(bytes);
      position_ += *read;
    }
    return absl::OkStatus();
  }

  runtime::Runtime& runtime_;
  RangeToDigest range_;
  absl::AnyInvocable<void(absl::StatusOr<filestorage::Digest>)> done_;
  // Strand and I/O thread in turns.
  uint64_t position_;
  filestorage::Digester digester_;
};

}  // namespace

void DigestRange(runtime::Runtime& runtime, RangeToDigest range,
                 absl::AnyInvocable<void(absl::StatusOr<filestorage::Digest>)> done) {
  std::make_shared<RangeDigester>(runtime, std::move(range), std::move(done))->Next();
}

}  // namespace zrs::storage
