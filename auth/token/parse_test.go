package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"testing"
)

// FuzzParseKeys: whatever an issuer shows, what is kept of it is public keys that verify
// by algorithms of their own kind.
func FuzzParseKeys(f *testing.F) {
	for _, s := range []string{
		`{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA","alg":"HS256"}]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`, `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, `{"keys":[null,1,{}]}`, `[]`, `{"keys":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		all, err := parseKeys(doc)
		if err != nil && all != nil || err == nil && len(all) == 0 || len(all) > maxKeys {
			t.Fatalf("%d keys, %v", len(all), err)
		}
		for _, k := range all {
			switch p := k.public.(type) {
			case *rsa.PublicKey:
				if p.N.BitLen() < minRSA || k.fits("ES256") || k.fits("EdDSA") {
					t.Fatalf("RSA: %v", k)
				}
			case *ecdsa.PublicKey:
				if k.fits("RS256") || k.fits("EdDSA") {
					t.Fatalf("EC: %v", k)
				}
			case ed25519.PublicKey:
				if k.fits("RS256") || k.fits("ES256") {
					t.Fatalf("Ed25519: %v", k)
				}
			default:
				t.Fatalf("a key of type %T", p)
			}
			for _, alg := range []string{"none", "None", "", "HS256", "HS384", "HS512", "dir"} {
				if k.fits(alg) {
					t.Fatalf("%v fits %q", k, alg)
				}
			}
		}
	})
}
