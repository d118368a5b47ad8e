// Package secrets reads the two files that a brigade's operator keeps to
// himself, and makes tokens for the video call with what stands there.
//
// # Control secret
//
// One line of text, the secret of server control: printable ASCII, 8 to 256
// characters. Blanks around it are cut.
//
// # Secrets file
//
//	{
//	  "twilio": {
//	    "account_sid": "AC…",     the account
//	    "api_key":     "SK…",     an API key of it …
//	    "api_secret":  "…",       … and the key's secret
//	    "room":        "…"        the video room that all singers share
//	  },
//	  "instance_name": "…"        shown to singers
//	}
//
// Both keys may be absent; without "twilio" there is no video call. What is
// there must be whole and of the right type, and nothing else may be there: a
// slip of the pen is told when the program starts, not when somebody sings.
//
// # Both
//
// Who starts the program is told of a file that everybody on the machine can read
// or write. Errors name the file and the field, never a value.
//
// # Token
//
// A token is what Twilio calls an access token: a JWT, signed with HMAC-SHA-256
// and the API secret, that lets its bearer into one room under one name, the
// userid. It is good for 12 hours.
package secrets
