// What happens to a surface's points and pixels on the graphics processor.

export const LARGEST_LEVELS = 24;

export const vertexShader = `
attribute float light;
attribute float tone;
varying vec3 vNormal;
varying vec3 vPosition;
varying float vLight;
varying float vTone;
void main() {
  vNormal = normal;
  vPosition = position;
  vLight = light;
  vTone = tone;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;

// A key light from behind the left shoulder of the scene, a dim sky, and the openness of the sky
// that relief.ts worked out. Lines are as wide on the screen wherever they are.
export const fragmentShader = `
uniform sampler2D table;
uniform float levels[${LARGEST_LEVELS}];
uniform int levelCount;
uniform float grid;
uniform float boxHeight;
uniform vec2 cells;
uniform vec2 halfExtent;
varying vec3 vNormal;
varying vec3 vPosition;
varying float vLight;
varying float vTone;

// 1 on whole numbers, 0 beside them.
float line(float at, float width) {
  return 1.0 - smoothstep(width - 0.5, width + 0.5, abs(fract(at - 0.5) - 0.5) / fwidth(at));
}

void main() {
  vec3 toEye = normalize(cameraPosition - vPosition);
  vec3 n = normalize(vNormal);
  float behind = step(dot(n, toEye), 0.0);
  n = mix(n, -n, behind);
  vec3 key = normalize(vec3(-0.55, 0.9, 0.42));
  float lit = max(0.0, dot(n, key));
  float shade = (0.52 + 0.5 * lit) * mix(0.42, 1.0, vLight) * mix(1.0, 0.72, behind);
  float gleam = pow(max(0.0, dot(n, normalize(key + toEye))), 42.0) * 0.10 * vLight;
  // Half a texel: the table's ends are the scale's ends.
  vec3 colour = texture2D(table, vec2((clamp(vTone, 0.0, 1.0) * 255.0 + 0.5) / 256.0, 0.5)).rgb;
  colour = colour * shade + gleam;
  float height = vPosition.y / boxHeight;
  float perPixel = fwidth(height);
  float away = 1e9;
  for (int i = 0; i < levelCount; ++i) away = min(away, abs(height - levels[i]));
  float onLevel = 1.0 - smoothstep(0.3, 1.3, away / perPixel);
  // A plain at one height has no direction for a line to run in.
  colour *= 1.0 - 0.36 * onLevel * step(1e-6, perPixel);
  if (grid > 0.5) {
    vec2 at = (vPosition.xz / halfExtent + 1.0) * 0.5 * cells;
    colour *= 1.0 - 0.22 * max(line(at.x, 0.6), line(at.y, 0.6));
  }
  gl_FragColor = vec4(colour, 1.0);
}`;

export const solidVertexShader = `
varying vec3 vNormal;
varying vec3 vPosition;
void main() {
  vNormal = normal;
  vPosition = position;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;

export const solidFragmentShader = `
uniform vec3 colour;
varying vec3 vNormal;
varying vec3 vPosition;
void main() {
  vec3 toEye = normalize(cameraPosition - vPosition);
  float facing = abs(dot(normalize(vNormal), toEye));
  gl_FragColor = vec4(colour * mix(0.6, 1.0, facing), 1.0);
}`;
