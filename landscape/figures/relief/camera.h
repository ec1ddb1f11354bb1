// A perspective camera and a depth buffer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "landscape/figures/canvas/canvas.h"
#include "landscape/figures/relief/relief.h"

namespace topograd::drawing {

struct Point3 {
  double x = 0;
  double y = 0;
  double z = 0;
};

/// Projection of a point: its place on the page, and how far it is from the camera.
struct Seen {
  Point at;
  double depth = 0;
};

/// Camera outside a box that looks at its middle, in perspective, with the whole box in view.
class Camera {
 public:
  /// Fits the box [low, high] into `area` of the page. Angles are in radians: azimuth 0 looks along
  /// y, x to the right, and grows as the camera moves to the right.
  Camera(const Point3& low, const Point3& high, double azimuth, double elevation, const Rect& area);

  Seen see(const Point3& point) const;
  const Point3& position() const { return position_; }
  /// Returns the height in px of the box on the page.
  double height() const { return height_; }
  /// Returns the direction from the box's middle to the camera, of length 1.
  Direction3 towards() const { return {-forward_.x, -forward_.y, -forward_.z}; }

 private:
  Point3 position_, forward_, right_, up_;
  double scale_ = 1;
  double height_ = 0;
  Point centre_;
};

/// Depth buffer (z-buffer): the nearest surface point at each pixel.
class DepthBuffer {
 public:
  struct Corner {
    double x, y, depth;                  // x, y in pixels
    double fraction, brightness, gloss;  // interpolated
  };
  struct Pixel {
    float depth, fraction, brightness, gloss;  // depth: infinite where nothing is seen
  };

  DepthBuffer(int width, int height);
  void add(const std::array<Corner, 3>& triangle);

  int width() const { return width_; }
  int height() const { return height_; }
  const Pixel& at(int column, int row) const {
    return pixels_[static_cast<size_t>(row) * static_cast<size_t>(width_) +
                   static_cast<size_t>(column)];
  }

 private:
  int width_, height_;
  std::vector<Pixel> pixels_;
};

}  // namespace topograd::drawing
