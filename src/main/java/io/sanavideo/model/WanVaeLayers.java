package io.sanavideo.model;

import io.sanavideo.runtime.Tensor;
import io.sanavideo.runtime.Weight;
import io.sanavideo.runtime.WeightKind;

/** The layers that encoder and decoder of the Wan VAE are made of: weights on a device. */
final class WanVaeLayers {
    private WanVaeLayers() {}

    /** A convolution or 1x1 product with its bias. */
    record Layer(Weight weight, Tensor bias) {
        static Layer load(NamedWeights weights, WeightKind kind, String name) {
            return new Layer(
                    weights.weight(kind, name + ".weight"), weights.vector(name + ".bias"));
        }
    }

    /** A residual block; without a shortcut its input is added as it is. */
    record Residual(Tensor norm1, Layer conv1, Tensor norm2, Layer conv2, Layer shortcut) {
        static Residual load(NamedWeights weights, String name) {
            String shortcut = name + ".conv_shortcut";
            return new Residual(
                    weights.norm(name + ".norm1.gamma"),
                    Layer.load(weights, WeightKind.CONVOLUTION, name + ".conv1"),
                    weights.norm(name + ".norm2.gamma"),
                    Layer.load(weights, WeightKind.CONVOLUTION, name + ".conv2"),
                    weights.has(shortcut + ".weight")
                            ? Layer.load(weights, WeightKind.LINEAR, shortcut)
                            : null);
        }
    }

    /** Attention inside a frame. */
    record Attention(Tensor norm, Layer qkv, Layer out) {
        static Attention load(NamedWeights weights, String name) {
            return new Attention(
                    weights.norm(name + ".norm.gamma"),
                    Layer.load(weights, WeightKind.LINEAR, name + ".to_qkv"),
                    Layer.load(weights, WeightKind.LINEAR, name + ".proj"));
        }
    }

    /** The block at the latent's size. */
    record Middle(Residual first, Attention attention, Residual last) {
        static Middle load(NamedWeights weights, String name) {
            return new Middle(
                    Residual.load(weights, name + ".resnets.0"),
                    Attention.load(weights, name + ".attentions.0"),
                    Residual.load(weights, name + ".resnets.1"));
        }
    }

    /** What comes last: a norm, SiLU and a convolution. */
    record Head(Tensor norm, Layer convolution) {
        /** {@code side}: {@code encoder} or {@code decoder}. */
        static Head load(NamedWeights weights, String side) {
            return new Head(
                    weights.norm(side + ".norm_out.gamma"),
                    Layer.load(weights, WeightKind.CONVOLUTION, side + ".conv_out"));
        }
    }
}
