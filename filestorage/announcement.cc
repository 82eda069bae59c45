#include "filestorage/announcement.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

constexpr uint64_t kSectorSize = 512;
constexpr size_t kTidSize = 8;
constexpr size_t kGate = kTidSize;  // the length's first byte

// How many of the 17 bytes lie in the sector in which they begin.
size_t BytesInFirstSector(uint64_t offset) {
  return static_cast<size_t>(std::min<uint64_t>(kSectorSize - offset % kSectorSize, kAnnouncementSize));
}

std::string WithClosedGate(absl::string_view real) {
  std::string closed(real.substr(0, kAnnouncementSize));
  closed[kGate] = closed[kTransactionStatusOffset];
  return closed;
}

HeaderWrite Part(uint64_t offset, absl::string_view real, size_t begin, size_t end) {
  return {.offset = offset + begin, .bytes = std::string(real.substr(begin, end - begin))};
}

// Whether bytes [begin, end) of `found` are those of `a` or of `b`.
bool IsEither(absl::string_view found, absl::string_view a, absl::string_view b, size_t begin, size_t end) {
  const absl::string_view part = found.substr(begin, end - begin);
  return part == a.substr(begin, end - begin) || part == b.substr(begin, end - begin);
}

}  // namespace

HeaderWrite AnnouncementWrite(uint64_t offset, absl::string_view real, Tid tid_before) {
  std::string bytes = absl::StrCat(EncodeUint64(tid_before), WithClosedGate(real).substr(kTidSize));
  bytes[kTransactionStatusOffset] = kStatusInProgress;
  return {.offset = offset, .bytes = std::move(bytes)};
}

std::optional<HeaderWrite> BlankAnnouncementWrite(uint64_t offset, Tid tid_before) {
  if (BytesInFirstSector(offset) < kAnnouncementSize) return std::nullopt;
  std::string real(kAnnouncementSize, '\0');
  real[kTransactionStatusOffset] = kStatusComplete;
  return AnnouncementWrite(offset, real, tid_before);
}

std::vector<HeaderWrite> TurnWrites(uint64_t offset, absl::string_view real) {
  if (BytesInFirstSector(offset) == kAnnouncementSize) return {Part(offset, real, 0, kAnnouncementSize)};
  return {{.offset = offset, .bytes = WithClosedGate(real)}, Part(offset, real, kGate, kGate + 1)};
}

HeaderWrite TurnBackWrite(uint64_t offset, absl::string_view real, Tid tid_before) {
  if (BytesInFirstSector(offset) == kAnnouncementSize) return AnnouncementWrite(offset, real, tid_before);
  // Without the tid: the old one must not meet a status that has turned. With the gate open, so that nothing of this
  // is taken for a turn to be finished.
  HeaderWrite write = Part(offset, real, kGate, kAnnouncementSize);
  write.bytes.back() = kStatusInProgress;
  return write;
}

bool IsAnnouncement(absl::string_view found) {
  const char status = found[kTransactionStatusOffset];
  return status == kStatusInProgress || (IsFinalStatus(status) && found[kGate] == status);
}

bool NeedsTidBehind(uint64_t offset, absl::string_view header) {
  const TransactionHeader decoded = DecodeTransactionHeader(header);
  return BytesInFirstSector(offset) < kTidSize && decoded.length == decoded.HeaderAndStringsSize();
}

std::optional<std::string> UnfinishedTurn(uint64_t offset, absl::string_view found, Tid tid_before,
                                          std::optional<Tid> told_tid) {
  const size_t first = BytesInFirstSector(offset);
  if (first == kAnnouncementSize || DecodeUint64(found) == tid_before) return std::nullopt;
  const char status = found[kTransactionStatusOffset];
  if (!IsFinalStatus(found[kGate])) return std::nullopt;
  if (status != kStatusInProgress && status != found[kGate]) return std::nullopt;
  std::string real(found.substr(0, kAnnouncementSize));
  if (first < kTidSize) {
    if (!told_tid.has_value()) return std::nullopt;
    const std::string tid = EncodeUint64(*told_tid);
    const std::string before = EncodeUint64(tid_before);
    if (!IsEither(found, tid, before, 0, first) || !IsEither(found, tid, before, first, kTidSize)) return std::nullopt;
    real.replace(0, kTidSize, tid);
  }
  real[kTransactionStatusOffset] = real[kGate];
  real[kGate] = '\0';
  return real;
}

}  // namespace zrs::filestorage
