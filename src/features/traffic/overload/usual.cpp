#include "features/traffic/overload/usual.h"

#include <algorithm>
#include <vector>

namespace causeway::overload {

void Usual::add(float seconds) {
  times_[next_] = seconds;
  next_ = (next_ + 1) % kMost;
  count_ = std::min(count_ + 1, kMost);
  sum_up();
}

void Usual::scale(float by) {
  for (std::uint32_t i = 0; i < count_; ++i) times_[i] *= by;
  sum_up();
}

void Usual::sum_up() {
  std::array<float, kMost> sorted;
  const auto end = std::copy_n(times_.begin(), count_, sorted.begin());
  std::sort(sorted.begin(), end);
  low_ = sorted[count_ / 4];
  middle_ = sorted[count_ / 2];
}

void Kinds::add(const Time& time) {
  auto& usual = kinds_[time.kind];
  if (!usual) usual = std::make_unique<Usual>();
  usual->add(time.seconds);
}

double Kinds::shift(std::span<const Time> times, std::size_t few) const {
  std::vector<float> ratios;
  std::size_t longer = 0;
  for (const Time& time : times) {
    const Usual* usual = of(time.kind);
    if (!usual) continue;
    ratios.push_back(time.seconds / usual->middle());
    longer += time.seconds > usual->middle() ? 1 : 0;
  }
  if (ratios.size() < times.size() * 3 / 4) return 1;
  if (longer > few && longer + few < ratios.size()) return 1;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::ranges::nth_element(ratios, middle);
  return *middle;
}

void Kinds::scale(double by) {
  for (auto& usual : kinds_) {
    if (usual) usual->scale(static_cast<float>(by));
  }
}

}  // namespace causeway::overload
