// Only +, -, *, / and square roots on float, which IEEE 754 defines to the bit: a library's sine or
// exponential differs in its last bit from one machine to the next.
#include "data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/synthetic_shapes.h"
#include "kernels/core/philox.h"

namespace topograd {

namespace {

using Colour = std::array<float, kColourChannels>;

/// Returns p scaled to length 1.
Point unit(Point p) {
  const float length = std::sqrt(p.x * p.x + p.y * p.y);
  return {p.x / length, p.y / length};
}

/// Random numbers of one image, one after the other.
class Draws {
 public:
  Draws(const Philox& random, int64_t image)
      : random_(random), next_(static_cast<uint64_t>(image) << 32) {}

  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(random_.uniform(next_++));
  }
  int below(uint32_t bound) { return static_cast<int>(random_.below(next_++, bound)); }
  std::array<uint32_t, 4> words() { return random_.words(next_++); }

  Colour colour(float low, float high) {
    Colour result;
    for (float& c : result) c = uniform(low, high);
    return result;
  }
  /// Returns a random direction: a point of the unit disc, scaled to length 1.
  Point direction() {
    for (;;) {
      const Point p{uniform(-1, 1), uniform(-1, 1)};
      const float squared = p.x * p.x + p.y * p.y;
      if (squared <= 1 && squared >= 0.01f) return unit(p);
    }
  }

 private:
  Philox random_;
  uint64_t next_;
};

/// Canvas of one image: RGB in units of full intensity, coordinates in pixels.
class Canvas {
 public:
  explicit Canvas(int64_t size)
      : size_(size), pixels_(static_cast<size_t>(size * size * kColourChannels)) {}

  float size() const { return static_cast<float>(size_); }

  /// Mixes paint(p) into every pixel of the square around `centre`: wholly where distance(p) is
  /// below -1/2 pixel, not at all above 1/2, in between at the edge.
  template <class Distance, class Paint>
  void draw(Point centre, float reach, Distance distance, Paint paint, float opacity) {
    const auto first = [&](float c) {
      return std::clamp<int64_t>(static_cast<int64_t>(std::floor(c - reach)), 0, size_);
    };
    const auto last = [&](float c) {
      return std::clamp<int64_t>(static_cast<int64_t>(std::floor(c + reach)) + 1, 0, size_);
    };
    for (int64_t y = first(centre.y); y < last(centre.y); ++y)
      for (int64_t x = first(centre.x); x < last(centre.x); ++x) {
        const Point p{static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f};
        const float cover = std::clamp(0.5f - distance(p), 0.0f, 1.0f) * opacity;
        if (cover == 0) continue;
        const Colour colour = paint(p);
        float* pixel = &pixels_[static_cast<size_t>((y * size_ + x) * kColourChannels)];
        for (size_t c = 0; c < kColourChannels; ++c) pixel[c] += cover * (colour[c] - pixel[c]);
      }
  }
  template <class Paint>
  void fill(Paint paint) {
    const Point centre{size() / 2, size() / 2};
    draw(
        centre, size(), [](Point) { return -1.0f; }, paint, 1.0f);
  }

  /// Adds noise of standard deviation `sigma` (sums of two bytes: nearly enough normal) and rounds.
  void finish(uint8_t* image, float sigma, Draws& draws) const {
    constexpr float kBytePairDeviation = 104.5f;  // sum of two uniform bytes
    std::array<uint32_t, 4> words{};
    for (size_t i = 0; i < pixels_.size(); ++i) {
      if (i % 8 == 0) words = draws.words();
      const uint32_t bits = words[i % 8 / 2] >> (i % 2 * 16);
      const float sum = static_cast<float>((bits & 255) + (bits >> 8 & 255));
      const float value = pixels_[i] + (sum - 255) * (sigma / kBytePairDeviation);
      image[i] = static_cast<uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255 + 0.5f);
    }
  }

 private:
  int64_t size_;
  std::vector<float> pixels_;
};

/// Colour that brightens along a random direction, by up to `strength` across the image.
class Shading {
 public:
  Shading(Draws& draws, const Colour& colour, float strength, float size)
      : colour_(colour), slope_(draws.direction()), centre_(size / 2) {
    const float per_pixel = draws.uniform(0, strength) / size;
    slope_ = {slope_.x * per_pixel, slope_.y * per_pixel};
  }
  Colour operator()(Point p) const {
    const float light = slope_.x * (p.x - centre_) + slope_.y * (p.y - centre_);
    return {colour_[0] + light, colour_[1] + light, colour_[2] + light};
  }

 private:
  Colour colour_;
  Point slope_;
  float centre_;
};

/// Draws a straight stroke of random place, length, width and colour.
void draw_stroke(Canvas& canvas, Draws& draws) {
  const float size = canvas.size();
  const Point middle{draws.uniform(0, size), draws.uniform(0, size)};
  const Point along = draws.direction();
  const float half_length = draws.uniform(0.06f, 0.28f) * size;
  const float half_width = draws.uniform(0.014f, 0.04f) * size;
  const Colour colour = draws.colour(0, 1);
  const auto distance = [&](Point p) {
    const Point q{p.x - middle.x, p.y - middle.y};
    const float lengthwise = std::abs(q.x * along.x + q.y * along.y) - half_length;
    const float crosswise = std::abs(q.x * along.y - q.y * along.x) - half_width;
    return std::max(lengthwise, crosswise);
  };
  const float opacity = draws.uniform(0.5f, 1);
  canvas.draw(
      middle, half_length + half_width + 1, distance, [&](Point) { return colour; }, opacity);
}

/// Draws the label's shape at a random place, size and rotation.
void draw_shape(Canvas& canvas, Draws& draws, int label, const Colour& colour) {
  const float size = canvas.size();
  const float radius = draws.uniform(0.24f, 0.44f) * size;
  const float margin = 0.8f * radius;  // up to a tenth of it may leave the image
  const Point centre{draws.uniform(margin, size - margin), draws.uniform(margin, size - margin)};
  // Within about 30 degrees of upright.
  const Point axis = unit({1, draws.uniform(-0.6f, 0.6f)});
  const Shading shading(draws, colour, 0.3f, size);
  const auto distance = [&](Point p) {
    const Point q{(p.x - centre.x) / radius, (p.y - centre.y) / radius};
    const Point turned{q.x * axis.x + q.y * axis.y, q.y * axis.x - q.x * axis.y};
    return shape_distance(label, turned) * radius;
  };
  canvas.draw(centre, 1.1f * radius + 1, distance, shading, 1.0f);
}

/// Returns two colours `contrast` apart around a random middle.
std::array<Colour, 2> colour_pair(Draws& draws, float contrast) {
  const Colour middle = draws.colour(0.3f, 0.7f);
  Colour apart = draws.colour(-1, 1);
  const float length =
      std::sqrt(apart[0] * apart[0] + apart[1] * apart[1] + apart[2] * apart[2] + 1e-6f);
  std::array<Colour, 2> pair;
  for (size_t c = 0; c < kColourChannels; ++c) {
    const float half = apart[c] / length * contrast / 2;
    pair[0][c] = middle[c] - half;
    pair[1][c] = middle[c] + half;
  }
  return pair;
}

void draw_image(uint8_t* image, int64_t size, int label, Draws draws) {
  Canvas canvas(size);
  const std::array<Colour, 2> colours = colour_pair(draws, draws.uniform(0.08f, 0.9f));
  canvas.fill(Shading(draws, colours[0], 0.5f, canvas.size()));
  for (int strokes = draws.below(5); strokes > 0; --strokes) draw_stroke(canvas, draws);
  draw_shape(canvas, draws, label, colours[1]);
  for (int strokes = draws.below(3); strokes > 0; --strokes) draw_stroke(canvas, draws);
  canvas.finish(image, draws.uniform(0.01f, 0.09f), draws);
}

}  // namespace

Dataset synthetic_dataset(Split split, int64_t count, int64_t image_size, uint64_t seed) {
  require(count > 0, "a synthetic data set of ", count, " images: ask for at least one");
  require(image_size >= 12 && image_size <= 1024, "synthetic images of ", image_size,
          " pixels: choose 12 to 1024");
  const std::vector<std::string>& names = shape_names();
  Dataset dataset{.name = "synthetic",
                  .images = Tensor({count, image_size, image_size, kColourChannels}, DType::u8),
                  .labels = Tensor({count}, DType::i32),
                  .class_names = names,
                  // Measured once on many images: the normalisation does not depend on `count`.
                  .normalisation = {{0.5, 0.5, 0.5}, {0.21, 0.21, 0.21}}};
  const Philox random(seed, RandomStream::synthetic_data, static_cast<uint32_t>(split));
  const int64_t image_bytes = image_size * image_size * kColourChannels;
  for (int64_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % static_cast<int64_t>(names.size()));
    dataset.labels.data<int32_t>()[i] = label;
    draw_image(dataset.images.data<uint8_t>() + i * image_bytes, image_size, label,
               Draws(random, i));
  }
  return dataset;
}

}  // namespace topograd
