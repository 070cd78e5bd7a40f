//! The x87 intrinsics of old compilers (`_CIsqrt` and its kin) in guest code: arguments and results lie in ST0 and ST1.

use crate::export::Code;

/// The square root of ST0.
#[rustfmt::skip]
pub(crate) static CI_SQRT: Code = Code {
    i386: &[
        0xd9, 0xfa, // fsqrt
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The sine of ST0.
#[rustfmt::skip]
pub(crate) static CI_SIN: Code = Code {
    i386: &[
        0xd9, 0xfe, // fsin
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The cosine of ST0.
#[rustfmt::skip]
pub(crate) static CI_COS: Code = Code {
    i386: &[
        0xd9, 0xff, // fcos
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The tangent of ST0.
#[rustfmt::skip]
pub(crate) static CI_TAN: Code = Code {
    i386: &[
        0xd9, 0xf2, // fptan
        0xdd, 0xd8, // fstp st(0)
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The arc tangent of ST0.
#[rustfmt::skip]
pub(crate) static CI_ATAN: Code = Code {
    i386: &[
        0xd9, 0xe8, // fld1
        0xd9, 0xf3, // fpatan
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The arc tangent of ST1 / ST0.
#[rustfmt::skip]
pub(crate) static CI_ATAN2: Code = Code {
    i386: &[
        0xd9, 0xf3, // fpatan
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The natural logarithm of ST0.
#[rustfmt::skip]
pub(crate) static CI_LOG: Code = Code {
    i386: &[
        0xd9, 0xed, // fldln2
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xf1, // fyl2x
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The decimal logarithm of ST0.
#[rustfmt::skip]
pub(crate) static CI_LOG10: Code = Code {
    i386: &[
        0xd9, 0xec, // fldlg2
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xf1, // fyl2x
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The arc cosine of ST0.
#[rustfmt::skip]
pub(crate) static CI_ACOS: Code = Code {
    i386: &[
        0xd9, 0xe8, // fld1
        0xd8, 0xc1, // fadd st,st(1)
        0xd9, 0xe8, // fld1
        0xd8, 0xe2, // fsub st,st(2)
        0xde, 0xc9, // fmulp st(1),st
        0xd9, 0xfa, // fsqrt
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xf3, // fpatan
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The arc sine of ST0.
#[rustfmt::skip]
pub(crate) static CI_ASIN: Code = Code {
    i386: &[
        0xd9, 0xe8, // fld1
        0xd8, 0xc1, // fadd st,st(1)
        0xd9, 0xe8, // fld1
        0xd8, 0xe2, // fsub st,st(2)
        0xde, 0xc9, // fmulp st(1),st
        0xd9, 0xfa, // fsqrt
        0xd9, 0xf3, // fpatan
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// The remainder of ST1 / ST0.
#[rustfmt::skip]
pub(crate) static CI_FMOD: Code = Code {
    i386: &[
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xf8, // fprem
        0xdf, 0xe0, // fnstsw ax
        0x9e, // sahf
        0x7a, 0xf9, // jp +0x2
        0xdd, 0xd9, // fstp st(1)
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// e to the power of ST0.
#[rustfmt::skip]
pub(crate) static CI_EXP: Code = Code {
    i386: &[
        0xd9, 0xe5, // fxam
        0xdf, 0xe0, // fnstsw ax
        0x80, 0xe4, 0x47, // and ah,0x47
        0x80, 0xfc, 0x05, // cmp ah,0x5
        0x74, 0x1b, // je +0x27
        0x80, 0xfc, 0x07, // cmp ah,0x7
        0x74, 0x17, // je +0x28
        0xd9, 0xea, // fldl2e
        0xde, 0xc9, // fmulp st(1),st
        0xd9, 0xc0, // fld st(0)
        0xd9, 0xfc, // frndint
        0xdc, 0xe9, // fsub st(1),st
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xf0, // f2xm1
        0xd9, 0xe8, // fld1
        0xde, 0xc1, // faddp st(1),st
        0xd9, 0xfd, // fscale
        0xdd, 0xd9, // fstp st(1)
        0xc3, // ret
        0xdd, 0xd8, // fstp st(0)
        0xd9, 0xee, // fldz
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};

/// ST1 to the power of ST0.
#[rustfmt::skip]
pub(crate) static CI_POW: Code = Code {
    i386: &[
        0x31, 0xd2, // xor edx,edx
        0xd9, 0xe4, // ftst
        0xdf, 0xe0, // fnstsw ax
        0x9e, // sahf
        0x7a, 0x02, // jp +0xb
        0x74, 0x77, // je +0x82
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xe4, // ftst
        0xdf, 0xe0, // fnstsw ax
        0x9e, // sahf
        0x7a, 0x75, // jp +0x89
        0x74, 0x5a, // je +0x70
        0x73, 0x26, // jae +0x3e
        0xd9, 0xc1, // fld st(1)
        0xd9, 0xfc, // frndint
        0xd8, 0xda, // fcomp st(2)
        0xdf, 0xe0, // fnstsw ax
        0x9e, // sahf
        0x75, 0x69, // jne +0x8c
        0xd9, 0xe8, // fld1
        0xd8, 0xc0, // fadd st,st(0)
        0xd9, 0xc2, // fld st(2)
        0xd9, 0xf8, // fprem
        0xdf, 0xe0, // fnstsw ax
        0x9e, // sahf
        0x7a, 0xf9, // jp +0x29
        0xd9, 0xe4, // ftst
        0xdf, 0xe0, // fnstsw ax
        0xdd, 0xd8, // fstp st(0)
        0xdd, 0xd8, // fstp st(0)
        0x9e, // sahf
        0x0f, 0x95, 0xc2, // setne dl
        0xd9, 0xe0, // fchs
        0xd9, 0xf1, // fyl2x
        0xd9, 0xe5, // fxam
        0xdf, 0xe0, // fnstsw ax
        0x80, 0xe4, 0x47, // and ah,0x47
        0x80, 0xfc, 0x05, // cmp ah,0x5
        0x74, 0x1d, // je +0x69
        0x80, 0xfc, 0x07, // cmp ah,0x7
        0x74, 0x14, // je +0x65
        0xd9, 0xc0, // fld st(0)
        0xd9, 0xfc, // frndint
        0xdc, 0xe9, // fsub st(1),st
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xf0, // f2xm1
        0xd9, 0xe8, // fld1
        0xde, 0xc1, // faddp st(1),st
        0xd9, 0xfd, // fscale
        0xdd, 0xd9, // fstp st(1)
        0xeb, 0x04, // jmp +0x69
        0xdd, 0xd8, // fstp st(0)
        0xd9, 0xee, // fldz
        0x84, 0xd2, // test dl,dl
        0x74, 0x02, // je +0x6f
        0xd9, 0xe0, // fchs
        0xc3, // ret
        0xd9, 0xc9, // fxch st(1)
        0xd9, 0xe4, // ftst
        0xdf, 0xe0, // fnstsw ax
        0x9e, // sahf
        0xdd, 0xd8, // fstp st(0)
        0x73, 0xf4, // jae +0x6f
        0xd9, 0xe8, // fld1
        0xde, 0xf1, // fdivrp st(1),st
        0xd9, 0xe1, // fabs
        0xc3, // ret
        0xdd, 0xd8, // fstp st(0)
        0xdd, 0xd8, // fstp st(0)
        0xd9, 0xe8, // fld1
        0xc3, // ret
        0xde, 0xc1, // faddp st(1),st
        0xc3, // ret
        0xdd, 0xd9, // fstp st(1)
        0xd8, 0xe0, // fsub st,st(0)
        0xd8, 0xf0, // fdiv st,st(0)
        0xc3, // ret
    ],
    amd64: &[],
    slow: None,
};
