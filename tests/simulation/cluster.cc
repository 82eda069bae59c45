#include "tests/simulation/cluster.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/file_builder.h"

namespace zrs::simulation {
namespace {

// Once in so many file operations of a process the writer acts in between, or the checker looks.
constexpr uint64_t kWriterBetweenOneIn = 6;
constexpr uint64_t kBeginBetweenOneIn = 20;  // a transaction may begin there too, but not at the pace of the operations
constexpr uint64_t kLookOneIn = 16;
constexpr uint64_t kLookBeforeSyncOneIn = 6;

constexpr absl::Duration kLongestDown = absl::Seconds(4);        // of a process or host that crashed
constexpr absl::Duration kStillGoing = absl::Milliseconds(100);  // until it is looked again whether a process is gone

NetworkOptions MakeNetworkOptions(SeededRandom& random, const Sabotage& sabotage) {
  NetworkOptions options;
  if (random.OneIn(3)) options.delay_most = absl::Milliseconds(80);
  if (random.OneIn(3)) options.window = 16 << 10;
  options.acknowledge_early = sabotage.acknowledge_early;
  return options;
}

// Names of the upstreams of nodes 1 and up.
std::vector<std::string> MakeTopology(SeededRandom& random) {
  switch (random.Below(8)) {
    case 0:
      return {"node0", "node1"};  // a chain
    case 1:
      return {"node0", "node0"};  // a star
    case 2:
      if (random.OneIn(3)) return {"node0", "node1", "node1", "node0"};
      [[fallthrough]];
    default:
      return {"node0"};
  }
}

}  // namespace

Cluster::Cluster(const ScheduleOptions& options)
    : queue_(options.seed), log_(queue_, options.log_lines), checker_(log_, queue_.random()) {
  network_ = std::make_unique<SimulatedNetwork>(queue_, checker_, MakeNetworkOptions(random(), options.sabotage));
  MakeNodes(options);
  MakeWriter();
  checker_.Watch(*writer_, nodes_);
  Tick();
}

Cluster::~Cluster() = default;

void Cluster::MakeNodes(const ScheduleOptions& options) {
  std::vector<std::string> upstreams = MakeTopology(random());
  upstreams.insert(upstreams.begin(), "");
  for (size_t i = 0; i < upstreams.size(); ++i) {
    NodeOptions node;
    node.name = absl::StrCat("node", i);
    node.upstream = upstreams[i];
    node.lies = i == 0 ? options.sabotage.primary : options.sabotage.secondary;
    node.watcher.drop_one_in = random().Between(3, 30);
    node.watcher.never = options.deaf;
    if (options.deaf) node.poll_interval = absl::Seconds(15);
    if (random().OneIn(4)) node.delays.io = absl::Milliseconds(20);
    nodes_.push_back(std::make_unique<Node>(queue_, *network_, log_, *this, std::move(node)));
  }
}

void Cluster::MakeWriter() {
  WriterOptions options;
  if (random().OneIn(4)) options.large_one_in = 8;
  if (random().OneIn(40)) {
    options.largest = 3 << 20;
    options.enough = 1 << 20;
  }
  longest_pause_ = random().OneIn(4) ? absl::Milliseconds(150) : absl::Seconds(1);
  writer_ =
      std::make_unique<SimulatedWriter>(queue_, primary().disk(), primary().notifications(), log_, kDataPath, options);
  if (random().OneIn(3)) return OpenWriterLater(random().Delay(absl::ZeroDuration(), absl::Seconds(3)));
  tests::FileBuilder file;
  primary().disk().SetContents(kDataPath, file.AddMany(random().Below(20), random().Between(1, 2000)).bytes());
  writer_->OnHostCrash();  // reads what is there
  writer_->Open();
}

void Cluster::Tick() {
  StepWriter();
  const absl::Duration pause = writer_->busy() ? absl::Milliseconds(2) : longest_pause_;
  queue_.Add(random().Delay(absl::ZeroDuration(), pause), [this] { Tick(); });
}

void Cluster::StepWriter() {
  if (writing_ || writer_->busy()) writer_->Step();
}

void Cluster::StartLater(Node& node, absl::Duration delay) {
  queue_.Add(delay, [this, &node] {
    if (node.gone()) return node.Start();
    if (!node.running()) StartLater(node, kStillGoing);
  });
}

void Cluster::OpenWriterLater(absl::Duration delay) {
  queue_.Add(delay, [this] {
    if (!writer_->is_open()) writer_->Open();
  });
}

void Cluster::OnFileOperation(Node& node, const FileOperation& operation) {
  if (node.is_primary()) {
    if (!writer_->busy() && !random().OneIn(kBeginBetweenOneIn)) return;
    while (random().OneIn(kWriterBetweenOneIn)) StepWriter();
    return;
  }
  if (!operation.IsChange()) return;
  // Before a sync there is most to lose. A look reads the whole file: fewer of them at a large one.
  const uint64_t one_in = operation.kind == FileOperation::Kind::kSync ? kLookBeforeSyncOneIn : kLookOneIn;
  if (!random().OneIn(one_in + (writer_->history().size() >> 14))) return;
  if (random().OneIn(2)) return checker_.CheckCopy(node);
  checker_.CheckCopyAfterPowerLoss(node);
}

void Cluster::OnCrashed(Node& node, bool host_too) {
  ++crashes_;
  StartLater(node, random().Delay(absl::Milliseconds(1), kLongestDown));
  if (host_too && node.is_primary()) OpenWriterLater(random().Delay(absl::Milliseconds(1), kLongestDown));
  if (!host_too) {
    if (!node.is_primary()) checker_.CheckCopy(node);
    return;
  }
  if (node.is_primary()) {
    primary_host_crashed_ = true;
    writer_->OnHostCrash();
  }
  checker_.OnHostCrashed(node);
}

}  // namespace zrs::simulation
