#include "tests/filestorage/scan_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "absl/strings/str_cat.h"

namespace zrs::filestorage {
namespace {

class Recorder final : public ScannerObserver, public RecordObserver {
 public:
  explicit Recorder(Observation* observation) : observation_(observation) {}
  void OnTransaction(const ScannedTransaction& transaction) override { observation_->scanned.push_back(transaction); }
  void OnRecord(uint64_t position, const DataHeader& header) override {
    observation_->record_positions.push_back(position);
    observation_->records.push_back(header);
  }

 private:
  Observation* observation_;
};

}  // namespace

std::string Describe(const Observation& o) {
  std::string out = absl::StrCat("outcome ", static_cast<int>(o.result.outcome), " at ", o.result.position, " '",
                                 o.result.reason, "', last ", o.last.last_offset, "-", o.last.offset, " tid ",
                                 o.last.tid, " digest ", o.last.digest.ToHex(), ", position ", o.position);
  absl::StrAppend(&out, ", inside ", o.inside_transaction, " to ", o.transaction_end, ", transactions ", o.transactions,
                  ", decreasing ", o.decreasing_tids, "\n");
  for (const ScannedTransaction& t : o.scanned) {
    absl::StrAppend(&out, "transaction ", t.offset, "-", t.end, " tid ", t.tid, " status ", static_cast<int>(t.status),
                    " records ", t.records, "\n");
  }
  for (size_t i = 0; i < o.records.size(); ++i) {
    const DataHeader& r = o.records[i];
    absl::StrAppend(&out, "record at ", o.record_positions[i], ": ", r.oid, " ", r.tid, " ", r.previous, " ",
                    r.transaction_position, " ", r.version_length, " ", r.data_length, "\n");
  }
  return out;
}

// With an observer of records the scanner takes each transaction in steps; without, most of them at once.
static Observation Scan(Magic magic, const Boundary& start, absl::string_view bytes, const std::vector<size_t>& cuts,
                        bool observe_records) {
  Observation observation;
  Recorder recorder(&observation);
  Scanner scanner(magic, start, &recorder, observe_records ? &recorder : nullptr);
  observation.result.position = scanner.position();
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    observation.result = scanner.Feed(bytes.substr(begin, end - begin));
    begin = end;
  }
  observation.last = scanner.last();
  observation.position = scanner.position();
  observation.inside_transaction = scanner.inside_transaction();
  observation.transaction_end = scanner.transaction_end();
  observation.transactions = observation.scanned.size();
  observation.decreasing_tids = scanner.decreasing_tids();
  return observation;
}

Observation ScanInPieces(Magic magic, const Boundary& start, absl::string_view bytes, const std::vector<size_t>& cuts) {
  const Observation in_steps = Scan(magic, start, bytes, cuts, true);
  Observation without_records = in_steps;
  without_records.records.clear();
  without_records.record_positions.clear();
  EXPECT_EQ(Describe(Scan(magic, start, bytes, cuts, false)), Describe(without_records)) << "without observer";
  return in_steps;
}

Observation ScanAllWays(absl::string_view file) {
  const Magic magic = ParseMagic(file).value();
  const absl::string_view bytes = file.substr(kMagicSize);
  const auto scan = [&](const std::vector<size_t>& cuts) {
    return ScanInPieces(magic, FirstBoundary(magic), bytes, cuts);
  };
  const Observation whole = scan({});
  const std::string expected = Describe(whole);

  std::vector<size_t> every_byte(bytes.size());
  std::iota(every_byte.begin(), every_byte.end(), size_t{0});
  EXPECT_EQ(Describe(scan(every_byte)), expected) << "byte by byte";

  const size_t step = std::max<size_t>(1, bytes.size() / 600);
  for (size_t cut = 0; cut <= bytes.size(); cut += step) {
    EXPECT_EQ(Describe(scan({cut})), expected) << "cut at " << cut;
  }

  std::mt19937_64 random(7);  // NOLINT: the same pieces each time
  for (int i = 0; i < 20; ++i) {
    std::vector<size_t> cuts(random() % 12 + 2);
    for (size_t& cut : cuts) cut = random() % (bytes.size() + 1);
    std::sort(cuts.begin(), cuts.end());
    EXPECT_EQ(Describe(scan(cuts)), expected) << "random pieces " << i;
  }
  return whole;
}

}  // namespace zrs::filestorage
